// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Header, ILaneEscrow} from "../src/interfaces/ILaneEscrow.sol";
import {EscrowTest} from "./support/EscrowTest.sol";
import {Tree} from "./support/TreeBuilder.sol";

contract OpenTest is EscrowTest {
    function test_open_locks_the_sum_and_remembers_the_header(bytes32 salt, uint8 laneCount)
        public
    {
        laneCount = uint8(within(laneCount, 1, 128));
        Header memory h = headerOf(lanes(laneCount), laneCount);
        bytes32 id = keccak256(abi.encode(payer, salt));
        vm.expectEmit(address(escrow));
        emit ILaneEscrow.Opened(
            id, payer, salt, h.root, h.sum, h.expiry, h.signer, h.depth, h.laneCount
        );
        assertEq(open(salt, h), id, "id");
        assertEq(escrow.allotmentId(payer, salt), id, "id by the view");
        assertEq(escrow.head(id), keccak256(abi.encode(h)), "head");
        assertEq(escrow.free(payer), DEPOSIT - h.sum, "locked");
        (uint128 sum, uint128 bits) = escrow.claimed(id);
        assertEq(sum, 0, "nothing claimed");
        assertEq(bits, 0, "no lane claimed");
    }

    function test_open_locks_no_more_than_is_free() public {
        Header memory h = headerOf(lanes(1), 1);
        h.sum = uint128(DEPOSIT + 1);
        bytes memory poor =
            abi.encodeWithSelector(ILaneEscrow.AccountTooPoor.selector, DEPOSIT, DEPOSIT + 1);
        refuseOpen(h, poor);
    }

    function test_an_id_is_used_once_while_open() public {
        Header memory h = headerOf(lanes(4), 4);
        open(SALT, h);
        refuseOpen(h, abi.encodeWithSelector(ILaneEscrow.AllotmentIdUsed.selector));
    }

    function test_an_id_is_used_once_even_after_closing() public {
        Header memory h = headerOf(lanes(4), 4);
        bytes32 id = open(SALT, h);
        vm.warp(EXPIRY + 1);
        escrow.close(id, h);
        h.expiry = EXPIRY + 1 days;
        refuseOpen(h, abi.encodeWithSelector(ILaneEscrow.AllotmentIdUsed.selector));
    }

    function test_two_payers_may_use_one_salt() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        escrow.depositFor{value: 100 ether}(other);
        payer = other;
        vm.assertTrue(openAndClaim(SALT, 4, 0).allotment != c.allotment, "two ids");
    }

    function test_malformed_headers_are_refused() public {
        Tree memory tree = lanes(4);
        bytes memory malformed = abi.encodeWithSelector(ILaneEscrow.AllotmentMalformed.selector);
        Header memory h = headerOf(tree, 4);
        h.root = 0;
        refuseOpen(h, malformed);
        h = headerOf(tree, 4);
        h.sum = 0;
        refuseOpen(h, malformed);
        h = headerOf(tree, 4);
        h.signer = address(0);
        refuseOpen(h, malformed);
        h = headerOf(tree, 4);
        h.laneCount = 0;
        refuseOpen(h, malformed);
        h = headerOf(tree, 4);
        h.laneCount = 5;
        refuseOpen(h, malformed);
    }

    function test_a_depth_above_seven_is_refused(uint8 depth, uint8 laneCount) public {
        Header memory h = headerOf(lanes(4), 4);
        h.depth = uint8(within(depth, 8, 255));
        h.laneCount = laneCount;
        refuseOpen(h, abi.encodeWithSelector(ILaneEscrow.AllotmentMalformed.selector));
    }

    function test_more_lanes_than_leaves_are_refused(uint8 depth, uint8 laneCount) public {
        Header memory h = headerOf(lanes(4), 4);
        h.depth = uint8(within(depth, 0, 7));
        h.laneCount = uint8(within(laneCount, (1 << h.depth) + 1, 255));
        refuseOpen(h, abi.encodeWithSelector(ILaneEscrow.AllotmentMalformed.selector));
    }

    function test_the_expiry_is_in_the_future_and_within_the_term() public {
        bytes memory badExpiry = abi.encodeWithSelector(ILaneEscrow.AllotmentBadExpiry.selector);
        Header memory h = headerOf(lanes(4), 4);
        h.expiry = START;
        refuseOpen(h, badExpiry);
        h.expiry = START + escrow.MAX_TERM() + 1;
        refuseOpen(h, badExpiry);
        h.expiry = type(uint64).max;
        refuseOpen(h, badExpiry);
        h.expiry = START + 1;
        open("shortest", h);
        h.expiry = START + escrow.MAX_TERM();
        open("longest", h);
    }

    function refuseOpen(Header memory h, bytes memory refusal) private {
        vm.expectRevert(refusal);
        open(SALT, h);
    }
}
