// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, ILaneEscrow} from "../src/interfaces/ILaneEscrow.sol";
import {EscrowTest} from "./support/EscrowTest.sol";

contract DomainSeparatorTest is EscrowTest {
    function test_the_domain_is_what_the_interface_says() public view {
        assertEq(escrow.domainSeparator(), expectedDomain(), "separator");
    }

    function test_the_domain_follows_the_chain_id(uint64 id) public {
        vm.assume(id != 0 && id != block.chainid);
        bytes32 before = escrow.domainSeparator();
        vm.chainId(id);
        vm.assertTrue(escrow.domainSeparator() != before, "another chain, another domain");
        assertEq(escrow.domainSeparator(), expectedDomain(), "the new chain's");
    }

    function test_a_voucher_of_another_chain_is_refused() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        vm.chainId(199);
        refuse(ILaneEscrow.ClaimBadVoucher.selector, c);
        resign(c);
        claimAs(payee, c);
        assertEq(escrow.free(payee), CAP, "signed for this chain");
    }

    function test_a_voucher_of_another_escrow_is_refused() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        ILaneEscrow first = escrow;
        escrow = deployEscrow();
        resign(c);
        escrow = first;
        refuse(ILaneEscrow.ClaimBadVoucher.selector, c);
    }
}
