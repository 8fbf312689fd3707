/**
 * Hashes of a torrent that peers are asked for (BEP 52): piece layers that a magnet lacks, and
 * blocks of a piece that failed. Each is asked of one peer at a time; whoever refuses, is silent
 * or lies is passed over.
 */
import { type Instant, toHex } from '../units/index.ts';
import type { HashAnswer, HashRef } from '../wire/index.ts';

/** Requests one peer has at a time. */
const PER_PEER_MAX = 4;
/** An answer is waited for so long. */
const ANSWER_MS = 8_000;
/** Who refused or was silent is asked for the same again after so long. */
const REFUSED_MS = 20_000;
/** A peer that should not be asked is asked after all when nobody else has answered by then. */
const AVOID_MS = 2_000;

/** Something to find out. */
export interface HashWish {
  readonly ref: HashRef;
  /** An answer; false when it is wrong, and the peer lied. */
  readonly onAnswer: (hashes: Uint8Array) => boolean;
  /** Nobody answered within `patienceMs`; without a patience it is asked for ever. */
  readonly onGiveUp?: () => void;
  readonly patienceMs?: number;
  /** These are asked last: what they gave is in question. */
  readonly avoid?: ReadonlySet<number>;
}

interface OpenWish {
  readonly wish: HashWish;
  readonly since: Instant;
  /** Peer key; 0 while nobody is asked. */
  askedOf: number;
  askedAt: Instant;
  /** Peer key → until when it is not asked again. */
  readonly refused: Map<number, number>;
}

/** The wishes of one torrent. */
export class HashCollector {
  readonly #open = new Map<string, OpenWish>();
  /** Peer key → requests out. */
  readonly #asked = new Map<number, number>();

  /** Whether nothing is to be found out. */
  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  /** Asks for something from now on; a wish for the same hashes is joined to none. */
  add(wish: HashWish, now: Instant): void {
    const key = keyOf(wish.ref);
    if (this.#open.has(key)) return;
    const nobody = { askedOf: 0, askedAt: now, refused: new Map<number, number>() };
    this.#open.set(key, { wish, since: now, ...nobody });
  }

  /** What to ask a peer for now; null when there is nothing for it. */
  next(peerKey: number, now: Instant): HashRef | null {
    if ((this.#asked.get(peerKey) ?? 0) >= PER_PEER_MAX) return null;
    for (const open of this.#open.values()) {
      if (open.askedOf !== 0 || (open.refused.get(peerKey) ?? 0) > now) continue;
      if (open.wish.avoid?.has(peerKey) && now - open.since < AVOID_MS) continue;
      open.askedOf = peerKey;
      open.askedAt = now;
      this.#asked.set(peerKey, (this.#asked.get(peerKey) ?? 0) + 1);
      return open.wish.ref;
    }
    return null;
  }

  /** An answer; false when it proves that the peer lies. What was not asked of it is ignored. */
  take(peerKey: number, { ref, hashes }: HashAnswer): boolean {
    const key = keyOf(ref);
    const open = this.#open.get(key);
    if (!open || open.askedOf !== peerKey) return true;
    this.#release(open, Infinity);
    if (!open.wish.onAnswer(hashes)) return false;
    this.#open.delete(key);
    return true;
  }

  /** The peer does not have it. */
  reject(peerKey: number, ref: HashRef, now: Instant): void {
    const open = this.#open.get(keyOf(ref));
    if (open && open.askedOf === peerKey) this.#release(open, now + REFUSED_MS);
  }

  /** The peer is gone. */
  withdraw(peerKey: number): void {
    if (!this.#asked.has(peerKey)) return;
    for (const open of this.#open.values()) {
      if (open.askedOf === peerKey) this.#release(open, Infinity);
    }
    this.#asked.delete(peerKey);
  }

  /** Twice a second: who is silent is not waited for, and some wishes are given up. */
  tick(now: Instant): void {
    for (const [key, open] of this.#open) {
      const { wish, since, askedOf, askedAt } = open;
      if (askedOf !== 0 && now - askedAt > ANSWER_MS) this.#release(open, now + REFUSED_MS);
      if (now - since <= (wish.patienceMs ?? Infinity)) continue;
      if (open.askedOf !== 0) this.#release(open, Infinity);
      this.#open.delete(key);
      wish.onGiveUp?.();
    }
  }

  /** The torrent stops: nobody is asked any more, and whoever waits is told. */
  abandon(): void {
    const all = [...this.#open.values()];
    this.#open.clear();
    this.#asked.clear();
    for (const { wish } of all) wish.onGiveUp?.();
  }

  #release(open: OpenWish, refusedUntil: number): void {
    const left = (this.#asked.get(open.askedOf) ?? 1) - 1;
    if (left > 0) this.#asked.set(open.askedOf, left);
    else this.#asked.delete(open.askedOf);
    open.refused.set(open.askedOf, refusedUntil);
    open.askedOf = 0;
  }
}

function keyOf({ root, baseLayer, index, length, proofLayers }: HashRef): string {
  return `${toHex(root)} ${baseLayer} ${index} ${length} ${proofLayers}`;
}
