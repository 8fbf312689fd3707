/**
 * The choking every client does (BEP 3): the best partners, or the fastest takers when seeding,
 * and some others by chance so that newcomers and better partners are found.
 */
import { shuffle } from '../units/index.ts';
import type { UploadCandidate, UploadGrant, UploadPolicy, UploadRound } from './upload-policy.ts';

/** Of all slots, the part that goes to peers by chance (libtorrent's number). */
const OPTIMISTIC_SHARE = 0.2;

/** How long a peer keeps a slot it got by chance: 30 s, three rounds (BEP 3). */
const OPTIMISTIC_MS = 30_000;

/** A seed's slot ends after this long when others wait, or few peers would hold all slots. */
const SEED_TURN_MS = 60_000;

/** Makes the standard policy; it remembers whom it unchoked by chance. */
export function standardChoking(): UploadPolicy {
  /** Peer key → when its optimistic slot ends. */
  const optimistic = new Map<number, number>();
  return {
    allot(round: UploadRound): readonly UploadGrant[] {
      const interested = round.candidates.filter((peer) => peer.isInterested);
      const slots = Math.min(round.slots, interested.length);
      const byChance = Math.max(1, Math.round(round.slots * OPTIMISTIC_SHARE));
      const regular = [...interested]
        .sort((a, b) => rank(b, round) - rank(a, round))
        .slice(0, Math.max(0, round.slots - byChance));
      const granted = new Set(regular.map((peer) => peer.peerKey));
      const waiting = interested.filter((peer) => !granted.has(peer.peerKey));
      keepCurrent(optimistic, waiting, round);
      for (const peer of shuffle([...waiting], round.random)) {
        if (optimistic.size >= byChance || granted.size + optimistic.size >= slots) break;
        if (!optimistic.has(peer.peerKey)) optimistic.set(peer.peerKey, round.now + OPTIMISTIC_MS);
      }
      for (const peerKey of optimistic.keys()) granted.add(peerKey);
      return [...granted].map((peerKey) => ({ peerKey, weight: 1 }));
    },
  };
}

/** Ends optimistic slots that ran out, or whose peer left or earned a regular slot. */
function keepCurrent(
  optimistic: Map<number, number>,
  waiting: readonly UploadCandidate[],
  round: UploadRound,
): void {
  const stillWaiting = new Set(waiting.map((peer) => peer.peerKey));
  for (const [peerKey, until] of optimistic) {
    if (until <= round.now || !stillWaiting.has(peerKey)) optimistic.delete(peerKey);
  }
}

/**
 * Downloading, partners count by what they give. Seeding, the fastest takers first, but behind
 * everybody else once they had their turn: otherwise a few fast peers hold a seed for ever.
 */
function rank(peer: UploadCandidate, round: UploadRound): number {
  if (!peer.isSeeding) return peer.receiveRate + 1;
  const heldMs = peer.isUnchoked && peer.unchokedAt !== null ? round.now - peer.unchokedAt : 0;
  return heldMs > SEED_TURN_MS ? -heldMs : peer.sendRate + 1;
}
