// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Collect, ILaneEscrow} from "../src/interfaces/ILaneEscrow.sol";
import {EscrowTest} from "./support/EscrowTest.sol";

contract ClaimForTest is EscrowTest {
    address private constant RELAYER = address(0x2E1A);

    function test_claimFor_credits_the_payee_and_not_the_sender(uint128 amount) public {
        Claim memory c = openAndClaim(SALT, 8, 0);
        c.amount = uint128(within(amount, 0, CAP));
        resign(c);
        collect(c, consent(c, PAYEE_KEY));
        assertEq(escrow.free(payee), c.amount, "the payee");
        assertEq(escrow.free(RELAYER), 0, "the sender");
    }

    function test_one_batch_serves_many_payees() public {
        Claim[] memory claims = new Claim[](3);
        Collect[] memory collects = new Collect[](3);
        claims[0] = openAndClaim(SALT, 8, 0);
        claims[1] = claimOf(claims[0].allotment, claims[0].header, lanes(8), 1);
        claims[2] = openAndClaim("second", 5, 4);
        collects[0] = consent(claims[0], PAYEE_KEY);
        collects[1] = consent(claims[1], OTHER_KEY);
        collects[2] = consent(claims[2], PAYEE_KEY);
        vm.prank(RELAYER);
        escrow.claimFor(claims, collects);
        assertEq(escrow.free(payee), 2 * CAP, "two lanes");
        assertEq(escrow.free(other), CAP, "one lane");
    }

    function test_consents_and_claims_come_in_pairs() public {
        Claim[] memory claims = one(openAndClaim(SALT, 8, 0));
        vm.expectRevert(abi.encodeWithSelector(ILaneEscrow.ClaimCountMismatch.selector));
        escrow.claimFor(claims, new Collect[](0));
        vm.expectRevert(abi.encodeWithSelector(ILaneEscrow.ClaimCountMismatch.selector));
        escrow.claimFor(new Claim[](0), new Collect[](1));
    }

    function test_only_the_payee_consents() public {
        Claim memory c = openAndClaim(SALT, 8, 0);
        Collect memory forged = consent(c, OTHER_KEY);
        // The other's own consent is valid, but the lane is not the other's.
        refuseCollect(ILaneEscrow.ClaimNotInTree.selector, c, forged);
        forged.payee = payee;
        refuseCollect(ILaneEscrow.ClaimBadCollect.selector, c, forged);
    }

    function test_nobody_consents_for_the_zero_address() public {
        Claim memory c = openAndClaim(SALT, 8, 0);
        Collect memory nobody = consent(c, PAYEE_KEY);
        nobody.payee = address(0);
        nobody.signature.v = 0;
        refuseCollect(ILaneEscrow.ClaimBadCollect.selector, c, nobody);
    }

    function test_consent_binds_the_amount_the_lane_and_the_allotment() public {
        Claim memory c = openAndClaim(SALT, 8, 0);
        Collect memory agreed = consent(c, PAYEE_KEY);
        Claim memory older = claimOf(c.allotment, c.header, lanes(8), 0);
        older.amount = 1;
        resign(older);
        refuseCollect(ILaneEscrow.ClaimBadCollect.selector, older, agreed);
        Claim memory beside = claimOf(c.allotment, c.header, lanes(8), 2);
        refuseCollect(ILaneEscrow.ClaimBadCollect.selector, beside, agreed);
        Claim memory elsewhere = openAndClaim("second", 8, 0);
        refuseCollect(ILaneEscrow.ClaimBadCollect.selector, elsewhere, agreed);
    }

    function test_a_voucher_is_no_consent() public {
        Claim memory c = openAndClaim(SALT, 8, 0);
        refuseCollect(ILaneEscrow.ClaimBadCollect.selector, c, Collect(signer, c.voucher));
    }

    function test_a_high_s_is_refused() public {
        Claim memory c = openAndClaim(SALT, 8, 0);
        Collect memory agreed = consent(c, PAYEE_KEY);
        agreed.signature = malleate(agreed.signature);
        refuseCollect(ILaneEscrow.ClaimBadCollect.selector, c, agreed);
    }

    function test_the_voucher_is_checked_as_well() public {
        Claim memory c = openAndClaim(SALT, 8, 0);
        c.amount -= 1;
        refuseCollect(ILaneEscrow.ClaimBadVoucher.selector, c, consent(c, PAYEE_KEY));
    }

    function test_no_lane_is_claimed_both_ways() public {
        Claim memory c = openAndClaim(SALT, 8, 0);
        Collect memory agreed = consent(c, PAYEE_KEY);
        collect(c, agreed);
        refuseCollect(ILaneEscrow.ClaimTaken.selector, c, agreed);
        refuse(ILaneEscrow.ClaimTaken.selector, c);
    }

    function test_consent_expires_with_the_allotment() public {
        Claim memory c = openAndClaim(SALT, 8, 0);
        vm.warp(EXPIRY + 1);
        refuseCollect(ILaneEscrow.ClaimExpired.selector, c, consent(c, PAYEE_KEY));
    }

    function collect(Claim memory c, Collect memory agreed) private {
        Collect[] memory collects = new Collect[](1);
        collects[0] = agreed;
        vm.prank(RELAYER);
        escrow.claimFor(one(c), collects);
    }

    function refuseCollect(bytes4 refusal, Claim memory c, Collect memory agreed) private {
        Collect[] memory collects = new Collect[](1);
        collects[0] = agreed;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0));
        vm.prank(RELAYER);
        escrow.claimFor(one(c), collects);
    }
}
