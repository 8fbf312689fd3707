// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claim, Collect, Header, ILaneEscrow} from "./interfaces/ILaneEscrow.sol";
import {Headers} from "./libraries/Headers.sol";
import {LaneTree} from "./libraries/LaneTree.sol";
import {Vouchers} from "./libraries/Vouchers.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title LaneEscrow
/// @notice The whole payment contract. Its documentation is on the interface.
contract LaneEscrow is ILaneEscrow, EIP712 {
    /// @dev One storage word, written whole by every claim.
    struct Tally {
        uint128 sum;
        uint128 lanes;
    }

    /// @dev `head` of an allotment that was closed. No header hashes to it.
    bytes32 private constant CLOSED = bytes32(uint256(1));

    /// @inheritdoc ILaneEscrow
    uint64 public constant MAX_TERM = 366 days;

    /// @inheritdoc ILaneEscrow
    mapping(address account => uint256) public free;
    /// @inheritdoc ILaneEscrow
    mapping(bytes32 allotment => bytes32) public head;
    /// @inheritdoc ILaneEscrow
    mapping(bytes32 allotment => Tally) public claimed;

    constructor() EIP712("Bidwidth LaneEscrow", "1") {}

    /// @inheritdoc ILaneEscrow
    function deposit() external payable {
        _deposit(msg.sender);
    }

    /// @inheritdoc ILaneEscrow
    function depositFor(address account) external payable {
        if (account == address(0)) revert AccountZero();
        _deposit(account);
    }

    /// @inheritdoc ILaneEscrow
    function withdraw(uint256 amount, address to) external {
        if (to == address(0)) revert AccountZero();
        _take(msg.sender, amount);
        emit Withdrawn(msg.sender, to, amount);
        // The only call out of this contract, after everything has been booked.
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert AccountSendFailed();
    }

    /// @inheritdoc ILaneEscrow
    function open(
        bytes32 salt,
        bytes32 root,
        uint128 sum,
        uint64 expiry,
        address signer,
        uint8 depth,
        uint8 laneCount
    ) external returns (bytes32 allotment) {
        if (root == 0 || sum == 0 || signer == address(0)) {
            revert AllotmentMalformed();
        }
        if (depth > LaneTree.MAX_DEPTH || laneCount == 0 || laneCount > 1 << depth) {
            revert AllotmentMalformed();
        }
        if (expiry <= block.timestamp || expiry > block.timestamp + MAX_TERM) {
            revert AllotmentBadExpiry();
        }
        allotment = allotmentId(msg.sender, salt);
        if (head[allotment] != 0) revert AllotmentIdUsed();

        _take(msg.sender, sum);
        head[allotment] = keccak256(
            abi.encode(Header(msg.sender, root, sum, expiry, signer, depth, laneCount))
        );
        emit Opened(allotment, msg.sender, salt, root, sum, expiry, signer, depth, laneCount);
    }

    /// @inheritdoc ILaneEscrow
    function claim(Claim[] calldata claims) external {
        uint256 earned = 0;
        for (uint256 index = 0; index < claims.length; ++index) {
            earned += _claim(index, claims[index], msg.sender);
        }
        free[msg.sender] += earned;
    }

    /// @inheritdoc ILaneEscrow
    function claimFor(Claim[] calldata claims, Collect[] calldata collects) external {
        if (claims.length != collects.length) revert ClaimCountMismatch();
        for (uint256 index = 0; index < claims.length; ++index) {
            Claim calldata c = claims[index];
            address payee = collects[index].payee;
            bytes32 digest =
                _hashTypedDataV4(Vouchers.collectHash(c.allotment, c.lane, c.amount, payee));
            if (!Vouchers.isSignedBy(digest, collects[index].signature, payee)) {
                revert ClaimBadCollect(index);
            }
            free[payee] += _claim(index, c, payee);
        }
    }

    /// @inheritdoc ILaneEscrow
    function close(bytes32 allotment, Header calldata header) external {
        if (head[allotment] != Headers.hash(header)) revert AllotmentUnknown();
        Tally memory tally = claimed[allotment];
        if (block.timestamp <= header.expiry && tally.lanes != _allLanes(header.laneCount)) {
            revert AllotmentStillOpen();
        }

        head[allotment] = CLOSED;
        uint128 returned = header.sum - tally.sum;
        free[header.payer] += returned;
        emit Closed(allotment, header.payer, returned);
    }

    /// @inheritdoc ILaneEscrow
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc ILaneEscrow
    function allotmentId(address payer, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(payer, salt));
    }

    function _deposit(address account) private {
        free[account] += msg.value;
        emit Deposited(msg.sender, account, msg.value);
    }

    function _take(address account, uint256 amount) private {
        uint256 balance = free[account];
        if (balance < amount) revert AccountTooPoor(balance, amount);
        // Cannot underflow: compared on the line above.
        unchecked {
            free[account] = balance - amount;
        }
    }

    /// @dev Checks one claim, takes its lane and returns what the caller must credit to `payee`.
    function _claim(uint256 index, Claim calldata c, address payee) private returns (uint128) {
        if (head[c.allotment] != Headers.hash(c.header)) revert ClaimUnknown(index);
        if (block.timestamp > c.header.expiry) revert ClaimExpired(index);
        if (c.lane >= c.header.laneCount) revert ClaimNoSuchLane(index);
        if (c.amount > c.cap) revert ClaimAboveCap(index);
        Tally memory tally = claimed[c.allotment];
        uint128 bit = uint128(1) << c.lane;
        if (tally.lanes & bit != 0) revert ClaimTaken(index);
        if (!LaneTree.contains(
                c.header.root, c.header.sum, c.header.depth, c.lane, payee, c.cap, c.path
            )) revert ClaimNotInTree(index);
        bytes32 digest = _hashTypedDataV4(Vouchers.voucherHash(c.allotment, c.lane, c.amount));
        if (!Vouchers.isSignedBy(digest, c.voucher, c.header.signer)) {
            revert ClaimBadVoucher(index);
        }

        uint128 sum = tally.sum + c.amount;
        // The tree makes this true. All deposits lie in one pot, so it is checked a second time.
        assert(sum <= c.header.sum);
        claimed[c.allotment] = Tally(sum, tally.lanes | bit);
        emit Claimed(c.allotment, payee, c.lane, c.amount);
        return c.amount;
    }

    /// @dev The word in which every one of `laneCount` lanes, 1 to 128, is claimed.
    function _allLanes(uint8 laneCount) private pure returns (uint128) {
        return type(uint128).max >> (128 - laneCount);
    }
}
