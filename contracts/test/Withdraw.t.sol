// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILaneEscrow} from "../src/interfaces/ILaneEscrow.sol";
import {EscrowTest} from "./support/EscrowTest.sol";

/// @dev Takes coins and asks for the same again while they arrive.
contract Greedy {
    ILaneEscrow private immutable ESCROW;
    uint256 private immutable AMOUNT;
    bool public isInnerRefused;

    constructor(ILaneEscrow escrow, uint256 amount) {
        (ESCROW, AMOUNT) = (escrow, amount);
    }

    function start() external {
        ESCROW.withdraw(AMOUNT, address(this));
    }

    receive() external payable {
        try ESCROW.withdraw(AMOUNT, address(this)) {}
        catch {
            isInnerRefused = true;
        }
    }
}

/// @dev Refuses coins.
contract Closed {}

contract WithdrawTest is EscrowTest {
    function test_withdraw_sends_at_once(uint256 amount) public {
        amount = within(amount, 0, DEPOSIT);
        vm.expectEmit(address(escrow));
        emit ILaneEscrow.Withdrawn(payer, other, amount);
        vm.prank(payer);
        escrow.withdraw(amount, other);
        assertEq(other.balance, amount, "arrived");
        assertEq(escrow.free(payer), DEPOSIT - amount, "the rest");
        assertEq(address(escrow).balance, DEPOSIT - amount, "still held");
    }

    function test_withdraw_gives_no_more_than_is_free(uint256 amount) public {
        amount = within(amount, DEPOSIT + 1, type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(ILaneEscrow.AccountTooPoor.selector, DEPOSIT, amount)
        );
        vm.prank(payer);
        escrow.withdraw(amount, payer);
    }

    function test_what_is_locked_cannot_be_withdrawn() public {
        openAndClaim(SALT, 4, 0);
        uint256 left = DEPOSIT - 4 * CAP;
        vm.expectRevert(
            abi.encodeWithSelector(ILaneEscrow.AccountTooPoor.selector, left, left + 1)
        );
        vm.prank(payer);
        escrow.withdraw(left + 1, payer);
    }

    function test_withdraw_refuses_the_zero_address() public {
        vm.expectRevert(abi.encodeWithSelector(ILaneEscrow.AccountZero.selector));
        vm.prank(payer);
        escrow.withdraw(1, address(0));
    }

    function test_a_refused_send_withdraws_nothing() public {
        address closed = address(new Closed());
        vm.expectRevert(abi.encodeWithSelector(ILaneEscrow.AccountSendFailed.selector));
        vm.prank(payer);
        escrow.withdraw(1, closed);
        assertEq(escrow.free(payer), DEPOSIT, "unchanged");
    }

    function test_calling_back_gets_nothing_twice() public {
        Greedy greedy = new Greedy(escrow, 5);
        escrow.depositFor{value: 9}(address(greedy));
        greedy.start();
        vm.assertTrue(greedy.isInnerRefused(), "second withdrawal refused");
        assertEq(address(greedy).balance, 5, "paid once");
        assertEq(escrow.free(address(greedy)), 4, "booked once");
    }

    function test_calling_back_gets_what_is_still_free() public {
        Greedy greedy = new Greedy(escrow, 5);
        escrow.depositFor{value: 10}(address(greedy));
        greedy.start();
        assertEq(address(greedy).balance, 10, "both halves, no more");
        assertEq(address(escrow).balance, DEPOSIT, "the payer's is untouched");
    }

    function test_what_was_earned_can_be_withdrawn() public {
        claimAs(payee, openAndClaim(SALT, 4, 2));
        vm.prank(payee);
        escrow.withdraw(CAP, payee);
        assertEq(payee.balance, CAP, "earned");
    }
}
