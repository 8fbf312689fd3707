// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Header, ILaneEscrow, Signature} from "../src/interfaces/ILaneEscrow.sol";
import {EscrowTest} from "./support/EscrowTest.sol";
import {Tree} from "./support/TreeBuilder.sol";

contract ClaimTest is EscrowTest {
    function test_claim_credits_the_payee(uint8 laneCount, uint8 lane, uint128 amount) public {
        laneCount = uint8(within(laneCount, 1, 128));
        lane = uint8(within(lane, 0, laneCount - 1));
        Claim memory c = openAndClaim(SALT, laneCount, lane);
        c.amount = uint128(within(amount, 0, CAP));
        resign(c);
        address earner = lane % 2 == 0 ? payee : other;
        Claim[] memory list = one(c);
        vm.expectEmit(address(escrow));
        emit ILaneEscrow.Claimed(c.allotment, earner, lane, c.amount);
        vm.prank(earner);
        escrow.claim(list);
        assertEq(escrow.free(earner), c.amount, "credited");
        (uint128 sum, uint128 bits) = escrow.claimed(c.allotment);
        assertEq(sum, c.amount, "claimed sum");
        assertEq(bits, uint256(1) << lane, "claimed lane");
    }

    function test_a_batch_reaches_over_payers_and_lanes() public {
        Claim[] memory list = new Claim[](3);
        list[0] = openAndClaim(SALT, 7, 0);
        list[1] = claimOf(list[0].allotment, list[0].header, lanes(7), 6);
        escrow.depositFor{value: 100 ether}(other);
        payer = other;
        list[2] = openAndClaim(SALT, 3, 2);
        vm.prank(payee);
        escrow.claim(list);
        assertEq(escrow.free(payee), 3 * CAP, "all three");
        (uint128 sum, uint128 bits) = escrow.claimed(list[0].allotment);
        assertEq(sum, 2 * CAP, "two of the first");
        assertEq(bits, 0x41, "lanes 0 and 6");
    }

    function test_one_bad_claim_reverts_the_batch_and_is_named() public {
        Claim[] memory list = new Claim[](3);
        for (uint8 i = 0; i < 3; ++i) {
            list[i] = openAndClaim(bytes32(uint256(i)), 4, 0);
        }
        list[1].amount -= 1;
        vm.expectRevert(abi.encodeWithSelector(ILaneEscrow.ClaimBadVoucher.selector, 1));
        vm.prank(payee);
        escrow.claim(list);
        assertEq(escrow.free(payee), 0, "nothing was credited");
    }

    function test_an_empty_batch_changes_nothing() public {
        vm.prank(payee);
        escrow.claim(new Claim[](0));
        assertEq(escrow.free(payee), 0, "nothing");
    }

    function test_a_lane_is_claimed_once() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        c.amount = 1;
        resign(c);
        claimAs(payee, c);
        refuse(ILaneEscrow.ClaimTaken.selector, c);
        c.amount = CAP;
        resign(c);
        refuse(ILaneEscrow.ClaimTaken.selector, c);
    }

    function test_a_lane_is_claimed_once_in_a_batch() public {
        Claim[] memory list = new Claim[](2);
        list[0] = openAndClaim(SALT, 4, 0);
        list[1] = list[0];
        vm.expectRevert(abi.encodeWithSelector(ILaneEscrow.ClaimTaken.selector, 1));
        vm.prank(payee);
        escrow.claim(list);
    }

    function test_a_claim_is_good_until_the_last_second() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        vm.warp(EXPIRY);
        claimAs(payee, c);
        assertEq(escrow.free(payee), CAP, "credited");
    }

    function test_a_claim_is_late_one_second_after() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        vm.warp(EXPIRY + 1);
        refuse(ILaneEscrow.ClaimExpired.selector, c);
    }

    function test_only_the_payee_claims(address sender) public {
        vm.assume(sender != payee);
        Claim[] memory list = one(openAndClaim(SALT, 4, 0));
        vm.expectRevert(abi.encodeWithSelector(ILaneEscrow.ClaimNotInTree.selector, 0));
        vm.prank(sender);
        escrow.claim(list);
    }

    function test_no_more_than_the_cap(uint128 amount) public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        c.amount = uint128(within(amount, uint256(CAP) + 1, type(uint128).max));
        resign(c);
        refuse(ILaneEscrow.ClaimAboveCap.selector, c);
        c.cap = c.amount;
        refuse(ILaneEscrow.ClaimNotInTree.selector, c);
    }

    function test_an_allotment_never_opened_or_closed_is_unknown() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        bytes32 id = c.allotment;
        c.allotment = "never";
        refuse(ILaneEscrow.ClaimUnknown.selector, c);
        c.allotment = id;
        vm.warp(EXPIRY + 1);
        escrow.close(id, c.header);
        refuse(ILaneEscrow.ClaimUnknown.selector, c);
    }

    function test_every_field_of_the_header_counts() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        for (uint256 field = 0; field < 7; ++field) {
            Header memory changed = abi.decode(abi.encode(c.header), (Header));
            if (field == 0) changed.payer = other;
            if (field == 1) changed.root = "other";
            if (field == 2) changed.sum += 1;
            if (field == 3) changed.expiry += 1;
            if (field == 4) changed.signer = other;
            if (field == 5) changed.depth += 1;
            if (field == 6) changed.laneCount -= 1;
            Claim memory copy = abi.decode(abi.encode(c), (Claim));
            copy.header = changed;
            refuse(ILaneEscrow.ClaimUnknown.selector, copy);
        }
    }

    function test_a_header_word_with_stray_bits_is_no_header() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        bytes memory input = abi.encodeWithSelector(escrow.claim.selector, one(c));
        // Selector, offset and length of the list, offset of the claim, allotment: then the payer.
        input[4 + 4 * 32] = 0x01;
        vm.prank(payee);
        (bool accepted,) = address(escrow).call(input);
        vm.assertFalse(accepted, "refused");
        input[4 + 4 * 32] = 0x00;
        vm.prank(payee);
        (accepted,) = address(escrow).call(input);
        vm.assertTrue(accepted, "but for that bit it was good");
    }

    function test_the_voucher_binds_allotment_lane_and_amount() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        Claim memory elsewhere = openAndClaim("second", 4, 0);
        Claim memory beside = claimOf(c.allotment, c.header, lanes(4), 2);
        Signature memory good = c.voucher;
        c.voucher = elsewhere.voucher;
        refuse(ILaneEscrow.ClaimBadVoucher.selector, c);
        c.voucher = beside.voucher;
        refuse(ILaneEscrow.ClaimBadVoucher.selector, c);
        c.voucher = good;
        c.amount -= 1;
        refuse(ILaneEscrow.ClaimBadVoucher.selector, c);
    }

    function test_only_the_signer_signs(uint256 key) public {
        key = within(key, 1, type(uint128).max);
        vm.assume(key != SIGNER_KEY);
        Claim memory c = openAndClaim(SALT, 4, 0);
        c.voucher = sign(key, voucherDigest(c));
        refuse(ILaneEscrow.ClaimBadVoucher.selector, c);
    }

    function test_a_high_s_is_refused() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        c.voucher = malleate(c.voucher);
        assertEq(
            ecrecover(voucherDigest(c), c.voucher.v, c.voucher.r, c.voucher.s),
            signer,
            "valid in mathematics"
        );
        refuse(ILaneEscrow.ClaimBadVoucher.selector, c);
    }

    function test_a_recovery_of_nobody_is_refused(uint8 v) public {
        vm.assume(v != 27 && v != 28);
        Claim memory c = openAndClaim(SALT, 4, 0);
        c.voucher.v = v;
        refuse(ILaneEscrow.ClaimBadVoucher.selector, c);
        c.voucher = Signature(0, 0, 27);
        refuse(ILaneEscrow.ClaimBadVoucher.selector, c);
    }

    function test_the_last_lane_of_128_works() public {
        Claim memory c = openAndClaim(SALT, 128, 127);
        claimAs(other, c);
        (, uint128 bits) = escrow.claimed(c.allotment);
        assertEq(bits, uint256(1) << 127, "highest bit");
    }
}
