// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PathStep} from "../../src/interfaces/ILaneEscrow.sol";

/// @notice A whole tree in memory: level 0 holds the leaves, the last level the root.
struct Tree {
    bytes32[][] hashes;
    uint128[][] sums;
}

/// @notice Builds lane trees independently of `LaneTree`: plain `abi.encodePacked`, no tricks.
/// @dev Wraps on overflow and trusts its input, so that it builds dishonest trees as well.
library TreeBuilder {
    /// @notice Hash of a leaf, as the interface's text says.
    function leaf(uint8 lane, address payee, uint128 cap) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"00", lane, payee, cap));
    }

    /// @notice Hash of an inner node, as the interface's text says.
    function node(bytes32 left, uint128 leftSum, bytes32 right, uint128 rightSum)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(hex"01", left, leftSum, right, rightSum));
    }

    /// @notice An honest tree over these lanes, padded with leaves of nobody and nothing.
    function build(address[] memory payees, uint128[] memory caps)
        internal
        pure
        returns (Tree memory)
    {
        uint256 size = 1;
        while (size < payees.length) size *= 2;
        bytes32[] memory hashes = new bytes32[](size);
        uint128[] memory sums = new uint128[](size);
        for (uint256 i = 0; i < size; ++i) {
            bool isLane = i < payees.length;
            sums[i] = isLane ? caps[i] : 0;
            hashes[i] = leaf(uint8(i), isLane ? payees[i] : address(0), sums[i]);
        }
        return grow(hashes, sums);
    }

    /// @notice Any tree over these leaves, whose number is a power of two.
    function grow(bytes32[] memory hashes, uint128[] memory sums)
        internal
        pure
        returns (Tree memory tree)
    {
        uint256 depth = 0;
        while (hashes.length >> depth > 1) ++depth;
        tree.hashes = new bytes32[][](depth + 1);
        tree.sums = new uint128[][](depth + 1);
        (tree.hashes[0], tree.sums[0]) = (hashes, sums);
        for (uint256 height = 1; height <= depth; ++height) {
            uint256 size = hashes.length >> height;
            (bytes32[] memory h, uint128[] memory s) =
                (tree.hashes[height - 1], tree.sums[height - 1]);
            tree.hashes[height] = new bytes32[](size);
            tree.sums[height] = new uint128[](size);
            for (uint256 i = 0; i < size; ++i) {
                tree.hashes[height][i] = node(h[2 * i], s[2 * i], h[2 * i + 1], s[2 * i + 1]);
                // A dishonest tree may overflow: that is for the escrow to find.
                unchecked {
                    tree.sums[height][i] = s[2 * i] + s[2 * i + 1];
                }
            }
        }
    }

    function depthOf(Tree memory tree) internal pure returns (uint8) {
        return uint8(tree.hashes.length - 1);
    }

    function root(Tree memory tree) internal pure returns (bytes32) {
        return tree.hashes[tree.hashes.length - 1][0];
    }

    function sum(Tree memory tree) internal pure returns (uint128) {
        return tree.sums[tree.sums.length - 1][0];
    }

    /// @notice Siblings of the leaf at `lane`, from the leaf upward.
    function path(Tree memory tree, uint256 lane)
        internal
        pure
        returns (PathStep[] memory steps)
    {
        steps = new PathStep[](tree.hashes.length - 1);
        for (uint256 height = 0; height < steps.length; ++height) {
            uint256 place = (lane >> height) ^ 1;
            steps[height] = PathStep(tree.hashes[height][place], tree.sums[height][place]);
        }
    }
}
