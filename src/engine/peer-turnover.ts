/** Who gives way when a torrent is full (BEP 40): otherwise nobody new could ever come in. */
import type { Instant } from '../units/index.ts';
import type { OwnAddress } from './canonical-priority.ts';
import type { Peer } from './peer.ts';
import type { PeerAddress } from './peer-book.ts';

/** A new peer has so long to become of use. */
const PROBATION_MS = 60_000;

/** What is asked of the torrent. */
export interface CrowdedTorrent {
  readonly peers: ReadonlyMap<number, Peer>;
  readonly peersMax: number;
}

/**
 * Whether there is a place for `newcomer`. In a full torrent the idle peer of the lowest priority
 * is closed for one of a higher priority; peers at work, or with money to settle, are never.
 */
export function hasRoomFor(
  { peers, peersMax }: CrowdedTorrent,
  newcomer: PeerAddress,
  { own, now }: { readonly own: OwnAddress; readonly now: Instant },
): boolean {
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
