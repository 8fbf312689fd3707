// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Collect, Header, ILaneEscrow} from "../../src/interfaces/ILaneEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {Tree, TreeBuilder} from "./TreeBuilder.sol";

/// @notice A market of three accounts that pay each other, in every order the fuzzer thinks of.
///
/// It keeps its own books and never asks the escrow what it should be doing. Every action either is
/// expected to succeed, and a revert fails the run, or is expected to be refused, and success does.
contract EscrowHandler is EscrowTest {
    using TreeBuilder for Tree;

    struct Record {
        Header header;
        Tree tree;
        uint128[] caps;
        address[] payees;
        uint128 claimedSum;
        uint128 claimedLanes;
        bool isClosed;
    }

    uint256 private constant KEY_BASE = 0xACC0;
    uint256 private constant RECORDS_MAX = 12;

    /// @notice Ids in the order of opening.
    bytes32[] public ids;
    /// @notice What the escrow should hold, by our own addition.
    uint256 public held;
    /// @notice Free balances by our own books.
    mapping(address account => uint256) public freeBooked;
    /// @notice Calls that did something, to know that a run is no empty dance.
    uint256 public deeds;
    /// @notice The chain's clock; the fuzzer moves it only through `pass`.
    uint64 public time;
    mapping(bytes32 id => Record) private records;

    function setUp() public pure override {}

    constructor() {
        time = START;
        vm.warp(time);
        escrow = deployEscrow();
    }

    modifier onTime() {
        vm.warp(time);
        _;
    }

    // The moves of honest people.

    function deposit(uint256 who, uint256 forWhom, uint96 amount) public onTime {
        (address from, address account) = (accountOf(who), accountOf(forWhom));
        vm.deal(from, amount);
        vm.prank(from);
        if (from == account) escrow.deposit{value: amount}();
        else escrow.depositFor{value: amount}(account);
        held += amount;
        freeBooked[account] += amount;
        ++deeds;
    }

    function withdraw(uint256 who, uint256 amount) public onTime {
        address account = accountOf(who);
        amount = within(amount, 0, freeBooked[account]);
        vm.prank(account);
        escrow.withdraw(amount, address(0xD15C));
        held -= amount;
        freeBooked[account] -= amount;
        ++deeds;
    }

    function open(uint256 who, uint8 laneCount, uint256 seed, uint32 term) public onTime {
        address from = accountOf(who);
        if (ids.length == RECORDS_MAX || freeBooked[from] == 0) return;
        uint256 count = within(laneCount, 1, 9);
        uint256 budget = freeBooked[from] / 2 + 1;
        address[] memory payees = new address[](count);
        uint128[] memory caps = new uint128[](count);
        for (uint256 i = 0; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            payees[i] = accountOf(seed >> 128);
            caps[i] = uint128(within(seed, 0, budget / count));
        }
        if (count == 1 && caps[0] == 0) caps[0] = 1;
        Tree memory tree = TreeBuilder.build(payees, caps);
        if (tree.sum() == 0) return;
        uint64 expiry = time + uint64(within(term, 1, 7 days));
        Header memory h =
            Header(from, tree.root(), tree.sum(), expiry, signer, tree.depthOf(), uint8(count));
        bytes32 salt = bytes32(ids.length);
        bytes32 id = open(salt, h);
        Record storage record = records[id];
        (record.header, record.tree) = (h, tree);
        (record.caps, record.payees) = (caps, payees);
        ids.push(id);
        freeBooked[from] -= h.sum;
        ++deeds;
    }

    function claim(uint256 which, uint8 lane, uint128 amount, bool isRelayed) public onTime {
        if (ids.length == 0) return;
        bytes32 id = ids[which % ids.length];
        Record storage record = records[id];
        lane = lane % record.header.laneCount;
        amount = uint128(within(amount, 0, record.caps[lane]));
        bool isGood = !record.isClosed && time <= record.header.expiry
            && record.claimedLanes & (uint128(1) << lane) == 0;
        bool accepted = tryClaim(id, lane, amount, isRelayed);
        require(accepted == isGood, "a claim is good exactly while open, in time and new");
        if (!accepted) return;
        record.claimedLanes |= uint128(1) << lane;
        record.claimedSum += amount;
        freeBooked[record.payees[lane]] += amount;
        ++deeds;
    }

    function close(uint256 which) public onTime {
        if (ids.length == 0) return;
        bytes32 id = ids[which % ids.length];
        Record storage record = records[id];
        bool isFull = record.claimedLanes == (uint128(1) << record.header.laneCount) - 1;
        bool isGood = !record.isClosed && (time > record.header.expiry || isFull);
        bool accepted;
        try escrow.close(id, record.header) {
            accepted = true;
        } catch {}
        require(accepted == isGood, "closing is good exactly once, late or when full");
        if (!accepted) return;
        record.isClosed = true;
        freeBooked[record.header.payer] += record.header.sum - record.claimedSum;
        ++deeds;
    }

    function pass(uint32 seconds_) public {
        time += uint64(within(seconds_, 0, 1 days));
        vm.warp(time);
    }

    // The moves of others.

    /// @dev A payer opens again under an id it has used, for whatever is free.
    function reopen(uint256 which) public onTime {
        if (ids.length == 0) return;
        which = which % ids.length;
        Header memory h = records[ids[which]].header;
        h.expiry = time + 1 days;
        h.sum = 1;
        vm.prank(h.payer);
        try escrow.open(bytes32(which), h.root, h.sum, h.expiry, h.signer, h.depth, h.laneCount) {
            revert("an id was used twice");
        } catch {}
    }

    /// @dev Claims more than the cap, as the payee, with the signer's help and a lie about the cap.
    function overclaim(uint256 which, uint8 lane, uint128 more) public onTime {
        if (ids.length == 0) return;
        bytes32 id = ids[which % ids.length];
        Record storage record = records[id];
        lane = lane % record.header.laneCount;
        Claim memory c = fullClaim(id, lane);
        c.cap += uint128(within(more, 1, type(uint64).max));
        c.amount = c.cap;
        resign(c);
        Claim[] memory list = one(c);
        vm.prank(record.payees[lane]);
        try escrow.claim(list) {
            revert("more than the cap");
        } catch {}
    }

    /// @dev Somebody who is not the payee claims a lane that is good.
    function steal(uint256 who, uint256 which, uint8 lane) public onTime {
        if (ids.length == 0) return;
        bytes32 id = ids[which % ids.length];
        Record storage record = records[id];
        lane = lane % record.header.laneCount;
        if (accountOf(who) == record.payees[lane]) return;
        Claim[] memory list = one(fullClaim(id, lane));
        vm.prank(accountOf(who));
        try escrow.claim(list) {
            revert("not the payee");
        } catch {}
    }

    // What the invariants ask.

    function idCount() public view returns (uint256) {
        return ids.length;
    }

    function recordOf(bytes32 id) public view returns (Record memory) {
        return records[id];
    }

    function target() public view returns (ILaneEscrow) {
        return escrow;
    }

    function accountOf(uint256 who) public pure returns (address) {
        return vm.addr(KEY_BASE + who % 3);
    }

    /// @notice Whether the escrow accepts a claim of `amount` on `lane`; if so, it has happened.
    function tryClaim(bytes32 id, uint8 lane, uint128 amount, bool isRelayed)
        public
        returns (bool)
    {
        address account = records[id].payees[lane];
        Claim memory c = fullClaim(id, lane);
        c.amount = amount;
        resign(c);
        Claim[] memory list = one(c);
        if (!isRelayed) {
            vm.prank(account);
            try escrow.claim(list) {
                return true;
            } catch {
                return false;
            }
        }
        Collect[] memory collects = new Collect[](1);
        collects[0] = consent(c, keyOf(account));
        try escrow.claimFor(list, collects) {
            return true;
        } catch {
            return false;
        }
    }

    function fullClaim(bytes32 id, uint8 lane) private view returns (Claim memory c) {
        Record storage record = records[id];
        c = claimOf(id, record.header, record.tree, lane);
        (c.cap, c.amount) = (record.caps[lane], record.caps[lane]);
        resign(c);
    }

    function keyOf(address account) private pure returns (uint256 key) {
        for (key = KEY_BASE; vm.addr(key) != account;) {
            ++key;
        }
    }
}
