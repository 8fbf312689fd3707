// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Claim,
    Collect,
    Header,
    ILaneEscrow,
    Signature
} from "../../src/interfaces/ILaneEscrow.sol";
import {TestBase} from "./TestBase.sol";
import {Tree, TreeBuilder} from "./TreeBuilder.sol";

/// @notice An escrow, a payer with a deposit, a signer, payees; and the ways to build and sign
/// things.
abstract contract EscrowTest is TestBase {
    using TreeBuilder for Tree;

    uint256 internal constant SIGNER_KEY = 0x5161;
    uint256 internal constant PAYEE_KEY = 0xBEEF;
    uint256 internal constant OTHER_KEY = 0xCAFE;
    uint128 internal constant CAP = 7 ether;
    uint256 internal constant DEPOSIT = 1_000_000 ether;
    uint64 internal constant START = 1_750_000_000;
    uint64 internal constant EXPIRY = START + 3 days;
    bytes32 internal constant SALT = "first";

    ILaneEscrow internal escrow;
    address internal payer = address(0xA11CE);
    address internal signer = vm.addr(SIGNER_KEY);
    address internal payee = vm.addr(PAYEE_KEY);
    address internal other = vm.addr(OTHER_KEY);

    function setUp() public virtual {
        vm.warp(START);
        escrow = deployEscrow();
        vm.deal(payer, DEPOSIT);
        vm.prank(payer);
        escrow.deposit{value: DEPOSIT}();
    }

    /// @notice A fresh escrow, from the compiled artifact (see foundry.toml).
    function deployEscrow() internal returns (ILaneEscrow) {
        return ILaneEscrow(vm.deployCode("LaneEscrow.sol:LaneEscrow"));
    }

    /// @notice `laneCount` lanes of `CAP`: even ones are the payee's, odd ones the other's.
    function lanes(uint256 laneCount) internal view returns (Tree memory) {
        address[] memory payees = new address[](laneCount);
        uint128[] memory caps = new uint128[](laneCount);
        for (uint256 i = 0; i < laneCount; ++i) {
            payees[i] = i % 2 == 0 ? payee : other;
            caps[i] = CAP;
        }
        return TreeBuilder.build(payees, caps);
    }

    function headerOf(Tree memory tree, uint256 laneCount) internal view returns (Header memory) {
        return
            Header(
                payer, tree.root(), tree.sum(), EXPIRY, signer, tree.depthOf(), uint8(laneCount)
            );
    }

    /// @notice Opens as the header's payer.
    function open(bytes32 salt, Header memory h) internal returns (bytes32) {
        vm.prank(h.payer);
        return escrow.open(salt, h.root, h.sum, h.expiry, h.signer, h.depth, h.laneCount);
    }

    /// @notice Opens an honest allotment of `laneCount` lanes and prepares the full claim of
    /// `lane`.
    function openAndClaim(bytes32 salt, uint256 laneCount, uint8 lane)
        internal
        returns (Claim memory)
    {
        Tree memory tree = lanes(laneCount);
        Header memory header = headerOf(tree, laneCount);
        return claimOf(open(salt, header), header, tree, lane);
    }

    /// @notice The claim of a whole `CAP`, signed.
    function claimOf(bytes32 allotment, Header memory header, Tree memory tree, uint8 lane)
        internal
        view
        returns (Claim memory c)
    {
        c.allotment = allotment;
        c.header = header;
        c.lane = lane;
        c.cap = CAP;
        c.amount = CAP;
        c.path = tree.path(lane);
        resign(c);
    }

    /// @notice Signs the claim's voucher again, after a change.
    function resign(Claim memory c) internal view {
        c.voucher = sign(SIGNER_KEY, voucherDigest(c));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (Signature memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return Signature(r, s, v);
    }

    /// @notice The same signature with `s` in the upper half: valid in mathematics, refused here.
    function malleate(Signature memory low) internal pure returns (Signature memory) {
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        return Signature(low.r, bytes32(order - uint256(low.s)), low.v == 27 ? 28 : 27);
    }

    function voucherDigest(Claim memory c) internal view returns (bytes32) {
        return typed(
            abi.encode(
                keccak256("Voucher(bytes32 allotment,uint8 lane,uint128 amount)"),
                c.allotment,
                c.lane,
                c.amount
            )
        );
    }

    function collectDigest(Claim memory c, address account) internal view returns (bytes32) {
        return typed(
            abi.encode(
                keccak256("Collect(bytes32 allotment,uint8 lane,uint128 amount,address payee)"),
                c.allotment,
                c.lane,
                c.amount,
                account
            )
        );
    }

    /// @notice EIP-712, written out from its text and not from the contract.
    function typed(bytes memory struct_) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", expectedDomain(), keccak256(struct_)));
    }

    function expectedDomain() internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,"
                    "uint256 chainId,address verifyingContract)"
                ),
                keccak256("Bidwidth LaneEscrow"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
    }

    function consent(Claim memory c, uint256 key) internal view returns (Collect memory) {
        address account = vm.addr(key);
        return Collect(account, sign(key, collectDigest(c, account)));
    }

    function one(Claim memory c) internal pure returns (Claim[] memory list) {
        list = new Claim[](1);
        list[0] = c;
    }

    function claimAs(address sender, Claim memory c) internal {
        vm.prank(sender);
        escrow.claim(one(c));
    }

    /// @notice Expects the payee's claim to be refused with `ClaimX(0)`.
    function refuse(bytes4 refusal, Claim memory c) internal {
        Claim[] memory list = one(c);
        vm.expectRevert(abi.encodeWithSelector(refusal, 0));
        vm.prank(payee);
        escrow.claim(list);
    }
}
