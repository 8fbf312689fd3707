// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Header, ILaneEscrow, PathStep} from "../src/interfaces/ILaneEscrow.sol";
import {EscrowTest} from "./support/EscrowTest.sol";
import {Tree, TreeBuilder} from "./support/TreeBuilder.sol";

/// @notice Trees that a dishonest payer may build, and paths that a dishonest payee may show.
contract ClaimMaliciousTreeTest is EscrowTest {
    using TreeBuilder for Tree;

    /// @dev Lane 1 is the payee's at depth 2, and a second lane 1 hangs right below the root.
    function test_an_index_at_two_depths_is_claimed_only_at_the_committed_one() public {
        bytes32 lane0 = TreeBuilder.leaf(0, other, CAP);
        bytes32 lane1 = TreeBuilder.leaf(1, payee, CAP);
        bytes32 left = TreeBuilder.node(lane0, CAP, lane1, CAP);
        bytes32 shallow = TreeBuilder.leaf(1, payer, CAP);
        bytes32 root = TreeBuilder.node(left, 2 * CAP, shallow, CAP);
        Header memory h = Header(payer, root, 3 * CAP, EXPIRY, signer, 2, 4);
        Claim memory c;
        (c.allotment, c.header, c.lane, c.cap, c.amount) = (open(SALT, h), h, 1, CAP, CAP);
        resign(c);

        c.path = new PathStep[](1);
        c.path[0] = PathStep(left, 2 * CAP);
        Claim[] memory list = one(c);
        vm.expectRevert(abi.encodeWithSelector(ILaneEscrow.ClaimNotInTree.selector, 0));
        vm.prank(payer);
        escrow.claim(list);

        c.path = new PathStep[](2);
        c.path[0] = PathStep(lane0, CAP);
        c.path[1] = PathStep(shallow, CAP);
        claimAs(payee, c);
        assertEq(escrow.free(payee), CAP, "the payee's lane is untouched");
    }

    /// @dev The committed depth is too small: real lanes lie below it.
    function test_a_path_longer_than_the_depth_is_refused() public {
        Tree memory tree = lanes(4);
        Header memory h = headerOf(tree, 2);
        h.depth = 1;
        refuse(ILaneEscrow.ClaimNotInTree.selector, claimOf(open(SALT, h), h, tree, 0));
    }

    /// @dev The committed depth is too large.
    function test_a_path_shorter_than_the_depth_is_refused() public {
        Tree memory tree = lanes(4);
        Header memory h = headerOf(tree, 4);
        h.depth = 3;
        refuse(ILaneEscrow.ClaimNotInTree.selector, claimOf(open(SALT, h), h, tree, 0));
    }

    function test_a_path_of_any_other_length_is_refused(uint8 length) public {
        Claim memory c = openAndClaim(SALT, 16, 4);
        vm.assume(length != 4);
        PathStep[] memory path = new PathStep[](length);
        for (uint256 i = 0; i < length && i < 4; ++i) {
            path[i] = c.path[i];
        }
        c.path = path;
        refuse(ILaneEscrow.ClaimNotInTree.selector, c);
    }

    /// @dev The same lane number stands in two leaves: only the leaf at its own place counts.
    function test_an_index_at_a_foreign_place_is_refused() public {
        bytes32[] memory hashes = new bytes32[](4);
        uint128[] memory sums = new uint128[](4);
        for (uint256 i = 0; i < 4; ++i) {
            hashes[i] = TreeBuilder.leaf(0, payee, CAP);
            sums[i] = CAP;
        }
        Tree memory tree = TreeBuilder.grow(hashes, sums);
        Header memory h = headerOf(tree, 4);
        Claim memory c = claimOf(open(SALT, h), h, tree, 0);
        for (uint256 place = 1; place < 4; ++place) {
            Claim memory copy = abi.decode(abi.encode(c), (Claim));
            copy.path = tree.path(place);
            // With all leaves alike the siblings are alike as well, so the path proves lane 0; but
            // under the index of its place the leaf is another one.
            copy.lane = uint8(place);
            resign(copy);
            refuse(ILaneEscrow.ClaimNotInTree.selector, copy);
        }
        claimAs(payee, c);
        refuse(ILaneEscrow.ClaimTaken.selector, c);
    }

    /// @dev Four caps whose sum wraps around to what was locked.
    function test_sums_that_overflow_are_refused() public {
        address[] memory payees = new address[](4);
        uint128[] memory caps = new uint128[](4);
        for (uint256 i = 0; i < 4; ++i) {
            payees[i] = payee;
            caps[i] = uint128(1) << 126;
        }
        caps[3] += CAP;
        Tree memory tree = TreeBuilder.build(payees, caps);
        assertEq(tree.sum(), CAP, "wraps");
        Header memory h = headerOf(tree, 4);
        Claim memory c = claimOf(open(SALT, h), h, tree, 0);
        c.cap = caps[0];
        refuse(ILaneEscrow.ClaimNotInTree.selector, c);
    }

    function test_a_tree_of_more_than_was_locked_is_refused(uint128 locked) public {
        Tree memory tree = lanes(4);
        Header memory h = headerOf(tree, 4);
        h.sum = uint128(within(locked, 1, 4 * CAP - 1));
        refuse(ILaneEscrow.ClaimNotInTree.selector, claimOf(open(SALT, h), h, tree, 0));
    }

    function test_a_tree_of_less_than_was_locked_is_refused() public {
        Tree memory tree = lanes(4);
        Header memory h = headerOf(tree, 4);
        h.sum += 1;
        refuse(ILaneEscrow.ClaimNotInTree.selector, claimOf(open(SALT, h), h, tree, 0));
    }

    /// @dev The payee shows smaller sums beside it, to make room for a larger cap.
    function test_sums_moved_between_siblings_are_refused(uint128 moved) public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        moved = uint128(within(moved, 1, CAP));
        c.path[0].sum -= moved;
        c.path[1].sum += moved;
        refuse(ILaneEscrow.ClaimNotInTree.selector, c);
        c.path[1].sum -= moved;
        c.cap += moved;
        refuse(ILaneEscrow.ClaimNotInTree.selector, c);
    }

    function test_siblings_in_the_wrong_order_are_refused() public {
        Claim memory c = openAndClaim(SALT, 4, 0);
        (c.path[0], c.path[1]) = (c.path[1], c.path[0]);
        refuse(ILaneEscrow.ClaimNotInTree.selector, c);
    }

    function test_a_changed_sibling_is_refused(bytes32 hash, uint8 height) public {
        Claim memory c = openAndClaim(SALT, 32, 4);
        height = uint8(within(height, 0, 4));
        vm.assume(hash != c.path[height].hash);
        c.path[height].hash = hash;
        refuse(ILaneEscrow.ClaimNotInTree.selector, c);
    }

    /// @dev A payer may hide a lane of its own behind the lane count: it can never be claimed.
    function test_a_lane_beyond_the_lane_count_is_refused(uint8 laneCount, uint8 lane) public {
        laneCount = uint8(within(laneCount, 1, 127));
        lane = uint8(within(lane, laneCount, 127));
        Tree memory tree = lanes(128);
        Header memory h = headerOf(tree, laneCount);
        refuse(ILaneEscrow.ClaimNoSuchLane.selector, claimOf(open(SALT, h), h, tree, lane));
    }

    function test_a_lane_index_beyond_the_tree_is_refused(uint8 lane) public {
        Claim memory c = openAndClaim(SALT, 128, 0);
        c.lane = uint8(within(lane, 128, 255));
        resign(c);
        refuse(ILaneEscrow.ClaimNoSuchLane.selector, c);
    }

    function test_a_lane_with_cap_zero_earns_nothing_and_harms_nobody() public {
        address[] memory payees = new address[](3);
        uint128[] memory caps = new uint128[](3);
        (payees[0], payees[1], payees[2]) = (payee, payee, payee);
        caps[2] = CAP;
        Tree memory tree = TreeBuilder.build(payees, caps);
        Header memory h = headerOf(tree, 3);
        Claim memory c = claimOf(open(SALT, h), h, tree, 0);
        (c.cap, c.amount) = (0, 1);
        resign(c);
        refuse(ILaneEscrow.ClaimAboveCap.selector, c);
        c.amount = 0;
        resign(c);
        claimAs(payee, c);
        assertEq(escrow.free(payee), 0, "nothing");
        claimAs(payee, claimOf(c.allotment, h, tree, 2));
        assertEq(escrow.free(payee), CAP, "the lane beside it");
    }

    /// @dev A tree of depth 0 whose root is an inner node's hash: no leaf hashes to it.
    function test_an_inner_node_is_no_leaf() public {
        Tree memory tree = lanes(2);
        Header memory h = headerOf(tree, 1);
        h.depth = 0;
        Claim memory c = claimOf(open(SALT, h), h, tree, 0);
        c.path = new PathStep[](0);
        refuse(ILaneEscrow.ClaimNotInTree.selector, c);
    }

    /// @dev Whatever the payer opens, its lanes' claims never exceed what it locked.
    /// forge-config: default.fuzz.runs = 300
    function test_random_trees_never_pay_more_than_was_locked(
        uint128[8] memory sums,
        uint128 locked,
        bool[8] memory lies
    ) public {
        bytes32[] memory hashes = new bytes32[](8);
        uint128[] memory caps = new uint128[](8);
        for (uint8 i = 0; i < 8; ++i) {
            caps[i] = sums[i] % 1 ether;
            // A liar commits to another cap in the leaf than the parent counts.
            hashes[i] = TreeBuilder.leaf(i, payee, lies[i] ? caps[i] + CAP : caps[i]);
        }
        Tree memory tree = TreeBuilder.grow(hashes, caps);
        Header memory h = headerOf(tree, 8);
        if (h.sum == 0) return;
        if (locked % 4 == 0) h.sum = uint128(within(locked, 1, h.sum));
        bytes32 id = open(SALT, h);
        for (uint8 i = 0; i < 8; ++i) {
            Claim memory c = claimOf(id, h, tree, i);
            c.cap = c.amount = lies[i] ? caps[i] + CAP : caps[i];
            resign(c);
            Claim[] memory list = one(c);
            vm.prank(payee);
            try escrow.claim(list) {
                vm.assertFalse(lies[i], "a lie does not prove");
            } catch {}
        }
        vm.assertTrue(escrow.free(payee) <= h.sum, "at most what was locked");
    }
}
