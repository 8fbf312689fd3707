// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PathStep} from "../interfaces/ILaneEscrow.sol";

/// @title LaneTree
/// @notice The Merkle-sum tree that divides an allotment into lanes.
/// @dev Every node commits to both children's hashes and sums, and `contains` adds the sums up
/// again.
/// So the leaves that can be proven below a node never add up to more than the node's sum, whatever
/// else its maker hid in it, and the root's sum is what the escrow locked.
library LaneTree {
    /// @notice Highest depth: 128 leaves, one bit each in a 128-bit word.
    uint8 internal constant MAX_DEPTH = 7;

    /// @notice Hash of the leaf of `lane`: 0x00 | lane:1 | payee:20 | cap:16.
    function leaf(uint8 lane, address payee, uint128 cap) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), lane, payee, cap));
    }

    /// @notice Hash of an inner node: 0x01 | left:32 | leftSum:16 | right:32 | rightSum:16.
    function node(bytes32 left, uint128 leftSum, bytes32 right, uint128 rightSum)
        internal
        pure
        returns (bytes32 hash)
    {
        // keccak256(abi.encodePacked(uint8(1), left, leftSum, right, rightSum)), written beyond the
        // free memory pointer and left there: one allocation a level would grow the memory of a
        // batch by kilobytes, some 500 gas a level. Words overlap, so they are written in order.
        assembly ("memory-safe") {
            let packed := mload(0x40)
            mstore8(packed, 1)
            mstore(add(packed, 1), left)
            mstore(add(packed, 33), shl(128, leftSum))
            mstore(add(packed, 49), right)
            mstore(add(packed, 81), shl(128, rightSum))
            hash := keccak256(packed, 97)
        }
    }

    /// @notice Whether the tree with `root`, `sum` and `depth` has lane `(lane, payee, cap)` on
    /// `path`.
    /// @dev The path must be as long as the committed depth: otherwise one index could be proven at
    /// two
    /// heights, and the payer could spend a payee's bit with a lane of its own. The whole index
    /// must
    /// be used up on the way, for the same reason.
    function contains(
        bytes32 root,
        uint128 sum,
        uint8 depth,
        uint8 lane,
        address payee,
        uint128 cap,
        PathStep[] calldata path
    ) internal pure returns (bool) {
        if (path.length != depth || uint256(lane) >> depth != 0) return false;
        bytes32 hash = leaf(lane, payee, cap);
        uint256 total = cap;
        for (uint256 height = 0; height < depth; ++height) {
            PathStep calldata sibling = path[height];
            // `total` fits 128 bits: it did at the leaf, and every turn ends by checking it.
            // forge-lint: disable-start(unsafe-typecast)
            hash = (lane >> height) & 1 == 0
                ? node(hash, uint128(total), sibling.hash, sibling.sum)
                : node(sibling.hash, sibling.sum, hash, uint128(total));
            // forge-lint: disable-end(unsafe-typecast)
            total += sibling.sum;
            if (total > type(uint128).max) return false;
        }
        return hash == root && total == sum;
    }
}
