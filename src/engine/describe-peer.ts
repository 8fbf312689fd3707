/** A peer as the screen shows it. */
import { toHex } from '../units/index.ts';
import type { Peer } from './peer.ts';
import type { PeerSnapshot } from './snapshot.ts';

/** What there is to see of a peer now. */
export function describePeer(peer: Peer): PeerSnapshot {
  const { download, upload } = peer;
  return {
    peerKey: peer.peerKey,
    host: peer.remoteHost,
    port: peer.remotePort,
    isOutbound: peer.isOutbound,
    client: peer.remoteClient,
    peerId: toHex(peer.remotePeerId),
    isSeed: download.pieces.hasAll,
    isChokingUs: download.isChokingUs,
    isInteresting: download.isInteresting,
    isUnchoked: upload.isUnchoked,
    isInterested: upload.isInterested,
    isSnubbed: download.requests.isSnubbed,
    requestsOut: download.requests.size,
    requestsIn: upload.serveQueue.size,
    ...peer.counters,
  };
}
