/** EIP-712 digests of everything a Bidwidth key signs, each from one fixed buffer. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Address, assert, type Hash32, hash32FromBytes } from '../units/index.ts';
import { Cursor } from './cursor.ts';
import type { EscrowDomain, Voucher } from './types.ts';

/** Keccak-256 of any bytes: 32 bytes, a fresh array. */
export type Keccak256 = (bytes: Uint8Array) => Uint8Array;

/** EIP-712 name of the contract's domain. */
export const DOMAIN_NAME = 'Bidwidth LaneEscrow';

/** EIP-712 version of the contract's domain. */
export const DOMAIN_VERSION = '1';

const DOMAIN_TYPE =
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

/** What the allotment's signer signs. */
const VOUCHER_TYPE = 'Voucher(bytes32 allotment,uint8 lane,uint128 amount)';

/** What a payee signs so that another account may send its claim. */
const COLLECT_TYPE = 'Collect(bytes32 allotment,uint8 lane,uint128 amount,address payee)';

/** What a payee signs in `hello`. */
const BIND_TYPE = 'Bind(bytes20 infoHash,bytes20 signerPeerId,bytes20 remotePeerId,address payee)';

/** One connection as the side that signs sees it. All three identifiers are 20 bytes. */
export interface ConnectionBinding {
  /** As in the BitTorrent handshake: of a v2 torrent, the first 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly signerPeerId: Uint8Array;
  readonly remotePeerId: Uint8Array;
  readonly payee: Address;
}

/**
 * Digests under one contract on one chain.
 *
 * The domain separator and the type hashes are made once, and each kind of message has one buffer
 * that only its fields are written into: about ten times faster than a general encoder, and a
 * seller makes one digest a tick and buyer.
 */
export class EscrowDigests {
  /** The contract's `domainSeparator()`. */
  readonly separator: Hash32;
  readonly #voucher = structBuffer(VOUCHER_TYPE, 3);
  readonly #collect = structBuffer(COLLECT_TYPE, 4);
  readonly #bind = structBuffer(BIND_TYPE, 4);
  readonly #envelope = new Cursor(66);
  readonly #keccak256: Keccak256;

  /** The chain layer has a faster `keccak256` for who makes thousands a second. */
  constructor(domain: EscrowDomain, keccak256: Keccak256 = keccak_256) {
    this.#keccak256 = keccak256;
    const words = structBuffer(DOMAIN_TYPE, 4);
    words.putBytes(32, hashText(DOMAIN_NAME));
    words.putBytes(64, hashText(DOMAIN_VERSION));
    words.putUint64(120, domain.chainId);
    words.putHash(140, domain.escrow);
    const separator = keccak_256(words.bytes);
    this.separator = hash32FromBytes(separator);
    // EIP-191 version 1, which EIP-712 uses.
    this.#envelope.putUint8(0, 0x19);
    this.#envelope.putUint8(1, 0x01);
    this.#envelope.putBytes(2, separator);
  }

  /** 32 bytes, a fresh array. */
  voucher(voucher: Voucher): Uint8Array {
    this.#putVoucher(this.#voucher, voucher);
    return this.#seal(this.#voucher);
  }

  /** 32 bytes, a fresh array: consent to a claim of exactly this voucher's amount. */
  collect(voucher: Voucher, payee: Address): Uint8Array {
    this.#putVoucher(this.#collect, voucher);
    this.#collect.putHash(140, payee);
    return this.#seal(this.#collect);
  }

  /**
   * 32 bytes, a fresh array: ties a payee to one connection.
   *
   * Both peer ids are inside, so a copied `hello` proves nothing to anybody but the peer it was
   * meant for, and nobody can send a peer's own `hello` back to it.
   */
  bind(binding: ConnectionBinding): Uint8Array {
    const { infoHash, signerPeerId, remotePeerId, payee } = binding;
    for (const id of [infoHash, signerPeerId, remotePeerId]) {
      assert(id.length === 20, `identifier of ${id.length} bytes in a binding`);
    }
    // A bytes20 stands at the left of its word, an address at the right.
    this.#bind.putBytes(32, infoHash);
    this.#bind.putBytes(64, signerPeerId);
    this.#bind.putBytes(96, remotePeerId);
    this.#bind.putHash(140, payee);
    return this.#seal(this.#bind);
  }

  #putVoucher(words: Cursor, voucher: Voucher): void {
    words.putHash(32, voucher.allotment);
    words.putUint8(95, voucher.lane);
    words.putUint128(112, voucher.amount);
  }

  #seal(words: Cursor): Uint8Array {
    this.#envelope.putBytes(34, this.#keccak256(words.bytes));
    return this.#keccak256(this.#envelope.bytes);
  }
}

/** A buffer for a struct of `fieldCount` words, its type hash already in front. */
function structBuffer(type: string, fieldCount: number): Cursor {
  const words = new Cursor(32 * (1 + fieldCount));
  words.putBytes(0, hashText(type));
  return words;
}

/** keccak256 of ASCII text. */
function hashText(text: string): Uint8Array {
  return keccak_256(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}
