// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILaneEscrow} from "../src/interfaces/ILaneEscrow.sol";
import {EscrowHandler} from "./support/EscrowHandler.sol";
import {TestBase} from "./support/TestBase.sol";

/// @notice The escrow's promises I1 to I5, after any sequence of moves. I6 is in `Bytecode.t.sol`
/// and
/// `Withdraw.t.sol`.
contract InvariantsTest is TestBase {
    /// @dev Which functions of which contract the fuzzer calls; the name is forge's.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    EscrowHandler private handler;
    ILaneEscrow private escrow;

    function setUp() public {
        handler = new EscrowHandler();
        escrow = handler.target();
        for (uint256 who = 0; who < 3; ++who) {
            handler.deposit(who, who, 1000 ether);
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](11);
        selectors[0] = EscrowHandler.deposit.selector;
        selectors[1] = EscrowHandler.withdraw.selector;
        selectors[2] = bytes4(keccak256("open(uint256,uint8,uint256,uint32)"));
        selectors[3] = EscrowHandler.claim.selector;
        selectors[4] = EscrowHandler.close.selector;
        selectors[5] = EscrowHandler.pass.selector;
        selectors[6] = EscrowHandler.reopen.selector;
        selectors[7] = EscrowHandler.overclaim.selector;
        selectors[8] = EscrowHandler.steal.selector;
        // Twice, for most claims and openings come too late or lack money.
        selectors[9] = selectors[2];
        selectors[10] = selectors[3];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_I1_every_coin_is_free_or_locked() public view {
        uint256 total = 0;
        for (uint256 who = 0; who < 3; ++who) {
            address account = handler.accountOf(who);
            assertEq(escrow.free(account), handler.freeBooked(account), "free as booked");
            total += escrow.free(account);
        }
        for (uint256 i = 0; i < handler.idCount(); ++i) {
            bytes32 id = handler.ids(i);
            EscrowHandler.Record memory record = handler.recordOf(id);
            if (record.isClosed) continue;
            (uint128 sum,) = escrow.claimed(id);
            total += record.header.sum - sum;
        }
        assertEq(total, address(escrow).balance, "free and locked");
        assertEq(handler.held(), address(escrow).balance, "paid in less paid out");
    }

    function invariant_I2_I3_claims_stay_below_the_sum_and_lanes_are_taken_once() public view {
        for (uint256 i = 0; i < handler.idCount(); ++i) {
            bytes32 id = handler.ids(i);
            EscrowHandler.Record memory record = handler.recordOf(id);
            (uint128 sum, uint128 lanes) = escrow.claimed(id);
            vm.assertTrue(sum <= record.header.sum, "claimed at most the sum");
            // The books add an amount once a lane: a lane taken twice would show here.
            assertEq(sum, record.claimedSum, "sum as booked");
            assertEq(lanes, record.claimedLanes, "lanes as booked");
        }
    }

    function invariant_I4_heads_change_only_to_closed() public view {
        for (uint256 i = 0; i < handler.idCount(); ++i) {
            bytes32 id = handler.ids(i);
            EscrowHandler.Record memory record = handler.recordOf(id);
            bytes32 wanted =
                record.isClosed ? bytes32(uint256(1)) : keccak256(abi.encode(record.header));
            assertEq(escrow.head(id), wanted, "head");
        }
    }

    /// @dev Whatever happened, every lane not yet claimed of every allotment in time pays its whole
    /// cap, all of them together; and what they earned can then be withdrawn.
    function invariant_I5_before_expiry_every_lane_is_good_for_its_cap() public {
        uint256 snapshot = vm.snapshotState();
        vm.warp(handler.time());
        for (uint256 i = 0; i < handler.idCount(); ++i) {
            bytes32 id = handler.ids(i);
            EscrowHandler.Record memory record = handler.recordOf(id);
            if (record.isClosed || handler.time() > record.header.expiry) continue;
            for (uint8 lane = 0; lane < record.header.laneCount; ++lane) {
                if (record.claimedLanes & (uint128(1) << lane) != 0) continue;
                vm.assertTrue(
                    handler.tryClaim(id, lane, record.caps[lane], lane % 2 == 0),
                    "good for its cap"
                );
            }
        }
        for (uint256 who = 0; who < 3; ++who) {
            address account = handler.accountOf(who);
            uint256 amount = escrow.free(account);
            vm.prank(account);
            escrow.withdraw(amount, address(0xD15C));
        }
        vm.revertToState(snapshot);
    }

    /// @dev Shows that the runs are no empty dance: a fixed tour reaches every kind of move.
    function test_the_handler_gets_around() public {
        handler.open(0, 4, 7, 1 days);
        handler.open(1, 1, 8, 1 days);
        handler.claim(0, 0, 5, false);
        handler.claim(0, 0, 5, false);
        handler.claim(1, 0, 5, true);
        handler.close(1);
        handler.steal(2, 0, 1);
        handler.overclaim(0, 1, 1);
        handler.pass(1 days);
        handler.pass(1);
        handler.claim(0, 1, 5, false);
        handler.close(0);
        handler.reopen(0);
        handler.withdraw(0, 1 ether);
        assertEq(handler.deeds(), 3 + 7, "deposits, and seven moves that changed something");
        invariant_I1_every_coin_is_free_or_locked();
        invariant_I2_I3_claims_stay_below_the_sum_and_lanes_are_taken_once();
        invariant_I4_heads_change_only_to_closed();
        invariant_I5_before_expiry_every_lane_is_good_for_its_cap();
    }
}
