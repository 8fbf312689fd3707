// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What `open` fixed about an allotment. The contract keeps only
/// `keccak256(abi.encode(header))`: seven 32-byte words in this order.
/// @param payer Whose deposit is locked, and who gets the rest back.
/// @param root Hash of the Merkle-sum tree over the lanes (layout: `LaneTree`).
/// @param sum What was locked, in atto. Exactly the sum of the tree.
/// @param expiry Unix seconds. The last second at which a lane can be claimed.
/// @param signer The hot key that signs vouchers. Never zero; should not be the payer's own key.
/// @param depth Levels above the leaves, 0 to 7. The tree has exactly `2 ** depth` leaves.
/// @param laneCount Lanes in use, 1 to `2 ** depth`. Leaves from here on are padding.
struct Header {
    address payer;
    bytes32 root;
    uint128 sum;
    uint64 expiry;
    address signer;
    uint8 depth;
    uint8 laneCount;
}

/// @notice A sibling on the way from a leaf to the root: its hash and its sum in atto.
struct PathStep {
    bytes32 hash;
    uint128 sum;
}

/// @notice A secp256k1 signature with `s` in the lower half of the order and `v` 27 or 28.
struct Signature {
    bytes32 r;
    bytes32 s;
    uint8 v;
}

/// @notice One lane to be cashed.
/// @param allotment The allotment's id.
/// @param header What the allotment was opened with.
/// @param lane Index of the lane, from 0, below `header.laneCount`.
/// @param cap What the tree reserves for the lane, in atto.
/// @param amount What the voucher says the lane has earned in all, in atto. At most `cap`.
/// @param voucher Signature of `header.signer` over `Voucher(allotment, lane, amount)`.
/// @param path Siblings from the leaf upward, exactly `header.depth` of them.
struct Claim {
    bytes32 allotment;
    Header header;
    uint8 lane;
    uint128 cap;
    uint128 amount;
    Signature voucher;
    PathStep[] path;
}

/// @notice A payee's consent to have somebody else submit its claim.
/// @param payee Who is credited. Must be the lane's payee.
/// @param signature The payee's, over `Collect(allotment, lane, amount, payee)` of the claim it
/// stands beside.
struct Collect {
    address payee;
    Signature signature;
}

/// @title ILaneEscrow
/// @notice Holds payers' deposits and pays them out to named payees against signed vouchers.
///
/// An account is a balance of the native coin. An allotment is a sum locked out of an account and
/// divided into at most 128 lanes `(payee, cap)` by the root of a Merkle-sum tree. A voucher is the
/// signer's statement of what a lane has earned so far. A payee cashes each lane once, with its
/// best
/// voucher; what it earned is credited to its own account here and can be spent or withdrawn.
///
/// There is no owner, no pause, no upgrade and no fee. No function but `withdraw` calls out.
///
/// Tree, hashed with keccak256 over tightly packed big-endian fields:
///   leaf    = keccak256(0x00 | lane:1 | payee:20 | cap:16)                          38 bytes
///   node    = keccak256(0x01 | left:32 | leftSum:16 | right:32 | rightSum:16)       97 bytes
///   padding = the leaf of its own index with payee zero and cap zero
/// A leaf's sum is its cap; a node's sum is both children's; each must fit 128 bits. Bit `i` of the
/// lane index, from the lowest, says whether the climber is the right child at height `i`. With
/// depth 0 the root is the only leaf's hash. The root's own sum is in the header, not in its hash.
///
/// Signatures are EIP-712, domain name "Bidwidth LaneEscrow", version "1", chainId and
/// verifyingContract (no salt), over
///   Voucher(bytes32 allotment,uint8 lane,uint128 amount)                  by the header's signer
///   Collect(bytes32 allotment,uint8 lane,uint128 amount,address payee)    by the payee
///
/// @dev Warning: coins that reach the contract by other ways than `deposit` and `depositFor` (a
/// block
/// reward, a contract's self-destruction) belong to nobody and stay for ever. A plain transfer
/// reverts: its sender may be an exchange, whose account its customer does not hold.
interface ILaneEscrow {
    /// @notice `amount` atto arrived from `from` for `account`.
    event Deposited(address indexed from, address indexed account, uint256 amount);

    /// @notice `amount` atto left `account` toward `to`.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice An allotment was opened. Carries the whole header and the salt: its payer and its
    /// payees can find and close or claim it from the chain alone (the lanes' tree is not on
    /// chain).
    event Opened(
        bytes32 indexed allotment,
        address indexed payer,
        bytes32 salt,
        bytes32 root,
        uint128 sum,
        uint64 expiry,
        address signer,
        uint8 depth,
        uint8 laneCount
    );

    /// @notice A lane was cashed: `amount` atto were credited to `payee`.
    event Claimed(bytes32 indexed allotment, address indexed payee, uint8 lane, uint128 amount);

    /// @notice An allotment was closed for ever and `returned` atto went back to its payer.
    event Closed(bytes32 indexed allotment, address indexed payer, uint128 returned);

    /// @notice The account holds `free` atto, less than the `wanted`.
    error AccountTooPoor(uint256 free, uint256 wanted);
    /// @notice Nothing may be credited or sent to the zero address.
    error AccountZero();
    /// @notice The receiver refused the coins. Nothing was withdrawn.
    error AccountSendFailed();

    /// @notice This payer has used this salt before. An id is used once, ever.
    error AllotmentIdUsed();
    /// @notice Header fields out of range: zero root, zero sum, zero signer, depth above 7, no
    /// lane,
    /// or more lanes than leaves.
    error AllotmentMalformed();
    /// @notice The expiry is not in the future, or further off than `MAX_TERM`.
    error AllotmentBadExpiry();
    /// @notice No open allotment has this id and this header.
    error AllotmentUnknown();
    /// @notice Not yet expired, and some lane is not yet claimed.
    error AllotmentStillOpen();

    /// @notice `claimFor` needs one `Collect` per claim.
    error ClaimCountMismatch();
    /// @notice Claim number `index`: no open allotment has this id and this header.
    error ClaimUnknown(uint256 index);
    /// @notice Claim number `index`: the allotment expired.
    error ClaimExpired(uint256 index);
    /// @notice Claim number `index`: the lane index is not below the lane count.
    error ClaimNoSuchLane(uint256 index);
    /// @notice Claim number `index`: the lane was claimed before, perhaps in this very batch.
    error ClaimTaken(uint256 index);
    /// @notice Claim number `index`: the amount is above the lane's cap.
    error ClaimAboveCap(uint256 index);
    /// @notice Claim number `index`: no such lane of this payee under the root (wrong payee, cap or
    /// path; a path of another length than the depth; sums beyond 128 bits or not the header's).
    error ClaimNotInTree(uint256 index);
    /// @notice Claim number `index`: the voucher is not the signer's, or its signature is
    /// malleable.
    error ClaimBadVoucher(uint256 index);
    /// @notice Claim number `index`: the consent is not the payee's, or its signature is malleable.
    error ClaimBadCollect(uint256 index);

    /// @notice Credits the sender's account with the coins sent. Zero is allowed and changes
    /// nothing.
    function deposit() external payable;

    /// @notice Credits `account` with the coins sent. Nobody can take them back but `account`.
    function depositFor(address account) external payable;

    /// @notice Sends `amount` atto of the sender's free balance to `to`, at once, always.
    /// @dev Warning: `to` is called with all remaining gas and may call back; everything has been
    /// booked by then.
    function withdraw(uint256 amount, address to) external;

    /// @notice Locks `sum` atto of the sender's free balance toward the lanes under `root`.
    /// @param salt Makes the id; any value this sender has not used yet (a counter will do).
    /// @return allotment The id, `allotmentId(msg.sender, salt)`.
    /// @dev Warning: the contract cannot see the tree. Whoever opens with a root whose tree does
    /// not
    /// sum to `sum`, or whose lanes do not prove, gets the money back only after expiry.
    function open(
        bytes32 salt,
        bytes32 root,
        uint128 sum,
        uint64 expiry,
        address signer,
        uint8 depth,
        uint8 laneCount
    ) external returns (bytes32 allotment);

    /// @notice Cashes lanes whose payee is the sender, of any number of allotments and payers.
    ///
    /// All or nothing: one bad claim reverts the batch, and the error carries its index. That is
    /// safe
    /// for the payee, because before expiry nobody but itself can make a good claim bad.
    /// An amount of zero is allowed: it gives the lane up, so that the payer may close early.
    function claim(Claim[] calldata claims) external;

    /// @notice Cashes lanes of any payees, each with its payee's consent at the same index. For
    /// payees
    /// without gas. The payee is credited; the sender gets nothing.
    /// @dev Warning: all or nothing as well, so a payee who claims by itself first spoils the batch
    /// of
    /// whoever collects for many. Consent needs a key: a contract as payee claims by itself.
    function claimFor(Claim[] calldata claims, Collect[] calldata collects) external;

    /// @notice Returns what was not claimed to the payer and retires the id for ever. Anybody may
    /// call,
    /// after expiry or as soon as every lane is claimed.
    function close(bytes32 allotment, Header calldata header) external;

    /// @notice What `account` can withdraw or lock now, in atto.
    function free(address account) external view returns (uint256);

    /// @notice 0: never opened; 1: closed for ever; else `keccak256(abi.encode(header))`.
    function head(bytes32 allotment) external view returns (bytes32);

    /// @notice What was claimed of an allotment in all, in atto, and which lanes: bit `i` is lane
    /// `i`.
    /// Kept after closing.
    function claimed(bytes32 allotment) external view returns (uint128 sum, uint128 lanes);

    /// @notice `keccak256(abi.encode(payer, salt))`.
    function allotmentId(address payer, bytes32 salt) external pure returns (bytes32);

    /// @notice The EIP-712 domain separator. Follows the chain id should the chain fork.
    function domainSeparator() external view returns (bytes32);

    /// @notice Longest time from opening to expiry, in seconds: guards against milliseconds given
    /// for
    /// seconds, which would lock the sum for fifty thousand years.
    function MAX_TERM() external view returns (uint64);
}
