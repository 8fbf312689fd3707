// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Header, PathStep} from "../src/interfaces/ILaneEscrow.sol";
import {Headers} from "../src/libraries/Headers.sol";
import {LaneTree} from "../src/libraries/LaneTree.sol";
import {EscrowTest} from "./support/EscrowTest.sol";
import {Tree, TreeBuilder} from "./support/TreeBuilder.sol";

/// @notice The hashes written with care for gas equal the plain ones.
contract LaneTreeTest is EscrowTest {
    using TreeBuilder for Tree;

    bytes32 private constant LEAF_VECTOR =
        0xe070119a18667d97a2a54d274d51f2630af8605f06978ad976213e0963f50d60;
    bytes32 private constant NODE_VECTOR =
        0x06d98bf87da6531b2cc659e32abc3ee492c0cc03de7114bb9f4635e35fea9841;

    function test_leaf_is_packed_as_documented(uint8 lane, address account, uint128 cap)
        public
        pure
    {
        assertEq(LaneTree.leaf(lane, account, cap), TreeBuilder.leaf(lane, account, cap), "leaf");
    }

    function test_node_is_packed_as_documented(bytes32 a, uint128 x, bytes32 b, uint128 y)
        public
        pure
    {
        assertEq(LaneTree.node(a, x, b, y), TreeBuilder.node(a, x, b, y), "node");
    }

    /// @dev Figures from an implementation that shares no code with this one (viem's
    /// `encodePacked`): leaf of lane 3, payee 0x11..11, cap 10^18; node of that leaf twice.
    function test_vectors_from_elsewhere() public pure {
        bytes32 leaf = LaneTree.leaf(3, address(0x1111111111111111111111111111111111111111), 1e18);
        assertEq(leaf, LEAF_VECTOR, "leaf");
        assertEq(LaneTree.node(leaf, 1e18, leaf, 1e18), NODE_VECTOR, "node");
    }

    function test_header_hash_is_that_of_abi_encode(Header calldata header) public pure {
        assertEq(Headers.hash(header), keccak256(abi.encode(header)), "header");
    }

    /// @dev Up to 128 proofs a run, hence fewer runs.
    /// forge-config: default.fuzz.runs = 100
    function test_every_lane_of_an_honest_tree_proves(uint8 laneCount) public view {
        laneCount = uint8(within(laneCount, 1, 128));
        Tree memory tree = lanes(laneCount);
        Header memory h = headerOf(tree, laneCount);
        for (uint8 lane = 0; lane < laneCount; ++lane) {
            address account = lane % 2 == 0 ? payee : other;
            vm.assertTrue(this.proves(h, lane, account, tree.path(lane)), "proves");
        }
    }

    function test_no_lane_proves_at_another_place(uint8 laneCount, uint8 lane, uint8 place)
        public
        view
    {
        laneCount = uint8(within(laneCount, 2, 128));
        lane = uint8(within(lane, 0, laneCount - 1));
        vm.assume(place != lane);
        Tree memory tree = lanes(laneCount);
        Header memory h = headerOf(tree, laneCount);
        address account = lane % 2 == 0 ? payee : other;
        vm.assertFalse(this.proves(h, place, account, tree.path(lane)), "another place");
    }

    /// @dev External, so that the path becomes calldata.
    function proves(Header calldata h, uint8 lane, address account, PathStep[] calldata path)
        external
        pure
        returns (bool)
    {
        return LaneTree.contains(h.root, h.sum, h.depth, lane, account, CAP, path);
    }
}
