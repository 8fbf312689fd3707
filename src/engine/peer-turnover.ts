/** Who gives way when a torrent is full (BEP 40): otherwise nobody new could ever come in. */
import type { Instant } from '../units/index.ts';
import type { OwnAddress } from './canonical-priority.ts';
import type { Peer } from './peer.ts';
import type { PeerAddress } from './peer-book.ts';
import type { EngineContext } from './peer-owner.ts';

/** Peers of one torrent from one place: a tenth of the usual, as several users share addresses. */
const PLACE_PEERS_MAX = 10;

/** A new peer has so long to become of use. */
const PROBATION_MS = 60_000;

/** What is asked of the torrent. */
export interface CrowdedTorrent {
  readonly peers: ReadonlyMap<number, Peer>;
  readonly peersMax: number;
}

/** Whether `others` have taken what a place may have of a torrent; null is never crowded. */
export function isCrowded(place: string | null, others: Iterable<Pick<Peer, 'place'>>): boolean {
  if (place === null) return false;
  let count = 0;
  for (const other of others) if (other.place === place) count++;
  return count >= PLACE_PEERS_MAX;
}

/**
 * Whether there is a place for `newcomer`. In a full torrent the idle peer of the lowest priority
 * is closed for one of a higher priority; peers at work, or with money to settle, are never.
 */
export function hasRoomFor(
  { peers, peersMax }: CrowdedTorrent,
  newcomer: PeerAddress,
  { own, now, placeOf }: { readonly own: OwnAddress } & Pick<EngineContext, 'now' | 'placeOf'>,
): boolean {
  if (isCrowded(placeOf(newcomer.host), peers.values())) return false;
  if (peers.size < peersMax) return true;
  // One that was closed a moment ago still counts until its connection has gone.
  if (peers.size > peersMax) return false;
  let lowest: Peer | null = null;
  let lowestRank = own.rank(newcomer);
  for (const peer of peers.values()) {
    const rank = own.rank({ host: peer.remoteHost, port: peer.remotePort });
    if (rank >= lowestRank || !isIdle(peer, now)) continue;
    lowest = peer;
    lowestRank = rank;
  }
  lowest?.close('a peer of higher priority takes its place');
  return lowest !== null;
}

function isIdle(peer: Peer, now: Instant): boolean {
  const { receiveRate, sendRate } = peer.counters;
  const isWanted = peer.download.isInteresting || peer.upload.isInterested || peer.isSettling;
  const isNew = now - peer.connectedAt < PROBATION_MS;
  return !isWanted && !isNew && receiveRate + sendRate === 0;
}
