// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Header, ILaneEscrow} from "../src/interfaces/ILaneEscrow.sol";
import {EscrowTest} from "./support/EscrowTest.sol";
import {Tree} from "./support/TreeBuilder.sol";

contract CloseTest is EscrowTest {
    function test_close_returns_what_was_not_claimed(uint128 amount, address caller) public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        c.amount = uint128(within(amount, 0, CAP));
        resign(c);
        claimAs(payee, c);
        vm.warp(EXPIRY + 1);
        vm.expectEmit(address(escrow));
        emit ILaneEscrow.Closed(c.allotment, payer, 4 * CAP - c.amount);
        vm.prank(caller);
        escrow.close(c.allotment, c.header);
        assertEq(escrow.free(payer), DEPOSIT - c.amount, "the payer");
        assertEq(escrow.head(c.allotment), bytes32(uint256(1)), "closed for ever");
        (uint128 sum, uint128 bits) = escrow.claimed(c.allotment);
        assertEq(sum, c.amount, "the record stays");
        assertEq(bits, 1, "the lanes stay");
    }

    function test_close_waits_for_the_expiry() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        vm.warp(EXPIRY);
        refuseClose(ILaneEscrow.AllotmentStillOpen.selector, c.allotment, c.header);
        vm.warp(EXPIRY + 1);
        escrow.close(c.allotment, c.header);
        assertEq(escrow.free(payer), DEPOSIT, "all of it");
    }

    /// @dev Up to 128 claims a run, hence fewer runs.
    /// forge-config: default.fuzz.runs = 100
    function test_close_is_early_once_every_lane_is_claimed(uint8 laneCount) public {
        laneCount = uint8(within(laneCount, 1, 128));
        Tree memory tree = lanes(laneCount);
        Claim memory c = openAndClaim(SALT, laneCount, 0);
        for (uint8 lane = 0; lane < laneCount; ++lane) {
            refuseClose(ILaneEscrow.AllotmentStillOpen.selector, c.allotment, c.header);
            Claim memory next = claimOf(c.allotment, c.header, tree, lane);
            next.amount = 1;
            resign(next);
            claimAs(lane % 2 == 0 ? payee : other, next);
        }
        escrow.close(c.allotment, c.header);
        assertEq(escrow.free(payer), DEPOSIT - laneCount, "all but what was claimed");
    }

    function test_a_closed_allotment_cannot_be_closed_again() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        vm.warp(EXPIRY + 1);
        escrow.close(c.allotment, c.header);
        refuseClose(ILaneEscrow.AllotmentUnknown.selector, c.allotment, c.header);
        assertEq(escrow.free(payer), DEPOSIT, "returned once");
    }

    function test_close_needs_the_very_header() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        vm.warp(EXPIRY + 1);
        Header memory forged = c.header;
        forged.payer = other;
        refuseClose(ILaneEscrow.AllotmentUnknown.selector, c.allotment, forged);
    }

    function refuseClose(bytes4 refusal, bytes32 allotment, Header memory header) private {
        vm.expectRevert(abi.encodeWithSelector(refusal));
        escrow.close(allotment, header);
    }
}
