// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Header} from "../interfaces/ILaneEscrow.sol";

/// @title Headers
/// @notice The hash by which the escrow remembers an allotment.
library Headers {
    /// @dev Seven words of 32 bytes.
    uint256 private constant SIZE = 7 * 32;

    /// @notice `keccak256(abi.encode(header))`.
    /// @dev Copies the words as they came instead of decoding them. A word with bits set beyond its
    /// type hashes to something no opened allotment has, because `open` hashes clean values.
    function hash(Header calldata header) internal pure returns (bytes32 digest) {
        uint256 size = SIZE;
        assembly ("memory-safe") {
            let words := mload(0x40)
            calldatacopy(words, header, size)
            digest := keccak256(words, size)
        }
    }
}
