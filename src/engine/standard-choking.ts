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

/**
 * Slots that peers of one place get before all others have one, and whose worth they share when
 * they have more: a quarter, but so many at most. Who opens many connections gains little by it.
 */
const PLACE_SLOTS_MAX = 3;

/** Makes the standard policy; it remembers whom it unchoked by chance. */
export function standardChoking(): UploadPolicy {
  /** Peer key → when its optimistic slot ends. */
  const optimistic = new Map<number, number>();
  return {
    allot(round: UploadRound): readonly UploadGrant[] {
      const interested = round.candidates.filter((peer) => peer.isInterested);
      const slots = Math.min(round.slots, interested.length);
      const byChance = Math.max(1, Math.round(round.slots * OPTIMISTIC_SHARE));
      const placeSlots = Math.min(Math.max(1, Math.floor(round.slots / 4)), PLACE_SLOTS_MAX);
      const ranked = [...interested].sort((a, b) => rank(b, round) - rank(a, round));
      const regular = spread(ranked, placeSlots).slice(0, Math.max(0, round.slots - byChance));
      const granted = new Set(regular.map((peer) => peer.peerKey));
      const waiting = interested.filter((peer) => !granted.has(peer.peerKey));
      keepCurrent(optimistic, waiting, round);
      const lucky = waiting.filter((peer) => optimistic.has(peer.peerKey));
      const others = shuffle([...waiting], round.random).filter((peer) => !lucky.includes(peer));
      const served = [...regular, ...lucky];
      for (const peer of spread([...served, ...others], placeSlots)) {
        if (served.includes(peer)) continue;
        if (optimistic.size >= byChance || served.length >= slots) break;
        optimistic.set(peer.peerKey, round.now + OPTIMISTIC_MS);
        served.push(peer);
      }
      return weigh(served, placeSlots);
    },
  };
}

/** Puts takers beyond `placeSlots` of their place behind everybody else. */
function spread(peers: readonly UploadCandidate[], placeSlots: number): readonly UploadCandidate[] {
  const seen = new Map<string, number>();
  const behind = new Set<UploadCandidate>();
  for (const peer of peers) {
    if (peer.place === null) continue;
    const nth = (seen.get(peer.place) ?? 0) + 1;
    seen.set(peer.place, nth);
    if (nth > placeSlots && !gives(peer)) behind.add(peer);
  }
  return [...peers.filter((peer) => !behind.has(peer)), ...behind];
}

/** Takers of one place have together the weight of `placeSlots` at most. */
function weigh(peers: readonly UploadCandidate[], placeSlots: number): readonly UploadGrant[] {
  const takers = new Map<string | null, number>();
  for (const peer of peers) {
    if (!gives(peer)) takers.set(peer.place, (takers.get(peer.place) ?? 0) + 1);
  }
  return peers.map((peer) => {
    const count = peer.place === null || gives(peer) ? 1 : (takers.get(peer.place) ?? 1);
    return { peerKey: peer.peerKey, weight: Math.min(1, placeSlots / count) };
  });
}

/** Whether it earns its slot, wherever it is. */
function gives(peer: UploadCandidate): boolean {
  return !peer.isSeeding && peer.receiveRate > 0;
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
