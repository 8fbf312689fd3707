// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Signature} from "../interfaces/ILaneEscrow.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Vouchers
/// @notice EIP-712 struct hashes of the two things people sign, and the check of who signed.
library Vouchers {
    bytes32 internal constant VOUCHER_TYPEHASH =
        keccak256("Voucher(bytes32 allotment,uint8 lane,uint128 amount)");
    bytes32 internal constant COLLECT_TYPEHASH =
        keccak256("Collect(bytes32 allotment,uint8 lane,uint128 amount,address payee)");

    /// @notice Struct hash of the signer's statement of what a lane has earned.
    function voucherHash(bytes32 allotment, uint8 lane, uint128 amount)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(VOUCHER_TYPEHASH, allotment, lane, amount));
    }

    /// @notice Struct hash of the payee's consent to a claim of exactly this amount.
    function collectHash(bytes32 allotment, uint8 lane, uint128 amount, address payee)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(COLLECT_TYPEHASH, allotment, lane, amount, payee));
    }

    /// @notice Whether `who` signed `digest`. False for the zero address, for high `s` and for a
    /// `v`
    /// other than 27 or 28.
    function isSignedBy(bytes32 digest, Signature calldata signature, address who)
        internal
        pure
        returns (bool)
    {
        (address recovered, ECDSA.RecoverError failure,) =
            ECDSA.tryRecover(digest, signature.v, signature.r, signature.s);
        return failure == ECDSA.RecoverError.NoError && recovered == who;
    }
}
