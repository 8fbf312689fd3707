// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILaneEscrow} from "../src/interfaces/ILaneEscrow.sol";
import {EscrowTest} from "./support/EscrowTest.sol";

contract DepositTest is EscrowTest {
    function test_deposit_credits_the_sender(uint96 amount) public {
        vm.deal(other, amount);
        vm.expectEmit(address(escrow));
        emit ILaneEscrow.Deposited(other, other, amount);
        vm.prank(other);
        escrow.deposit{value: amount}();
        assertEq(escrow.free(other), amount, "credited");
        assertEq(address(escrow).balance, DEPOSIT + amount, "held");
    }

    function test_depositFor_credits_the_named_account_only(uint96 amount) public {
        vm.deal(other, amount);
        vm.expectEmit(address(escrow));
        emit ILaneEscrow.Deposited(other, payee, amount);
        vm.prank(other);
        escrow.depositFor{value: amount}(payee);
        assertEq(escrow.free(payee), amount, "the account");
        assertEq(escrow.free(other), 0, "the sender");
    }

    function test_depositFor_refuses_the_zero_address() public {
        vm.expectRevert(abi.encodeWithSelector(ILaneEscrow.AccountZero.selector));
        escrow.depositFor{value: 1}(address(0));
    }

    function test_deposits_add_up(uint64 first, uint64 second) public {
        escrow.depositFor{value: first}(other);
        escrow.depositFor{value: second}(other);
        assertEq(escrow.free(other), uint256(first) + second, "both");
    }

    function test_a_plain_transfer_is_refused() public {
        (bool sent,) = address(escrow).call{value: 1}("");
        vm.assertFalse(sent, "no receive function");
    }

    function test_an_unknown_function_is_refused() public {
        (bool sent,) = address(escrow).call(hex"deadbeef");
        vm.assertFalse(sent, "no fallback function");
    }
}
