/** The link an extension gets: a narrow view of a peer. */
import type { PeerCounters, PeerLink } from './extension.ts';
import type { PeerDownload } from './peer-download.ts';
import type { PeerUpload } from './peer-upload.ts';

/** What a link shows and does; the peer implements it. */
export interface LinkedPeer extends Omit<PeerLink, 'send'> {}

/** Binds a peer to one extension's `send`. */
export function linkOf(peer: LinkedPeer, send: (payload: Uint8Array) => void): PeerLink {
  return {
    peerKey: peer.peerKey,
    torrentKey: peer.torrentKey,
    infoHash: peer.infoHash,
    remoteHost: peer.remoteHost,
    remotePort: peer.remotePort,
    isOutbound: peer.isOutbound,
    localPeerId: peer.localPeerId,
    remotePeerId: peer.remotePeerId,
    get pieceLengthBytes(): number {
      return peer.pieceLengthBytes;
    },
    get isDownloading(): boolean {
      return peer.isDownloading;
    },
    get isServed(): boolean {
      return peer.isServed;
    },
    get counters(): PeerCounters {
      return peer.counters;
    },
    send,
    setRequestTag: (tag) => peer.setRequestTag(tag),
    setServeTag: (tag) => peer.setServeTag(tag),
    resumeUpload: () => peer.resumeUpload(),
    requestRechoke: () => peer.requestRechoke(),
    close: (reason) => peer.close(reason),
  };
}

/** What a peer has moved, and how fast. */
export function countersOf({
  download,
  upload,
}: {
  readonly download: PeerDownload;
  readonly upload: PeerUpload;
}): PeerCounters {
  return {
    receivedBytes: download.received.total,
    sentBytes: upload.sent.total,
    verifiedBytes: download.verifiedBytes,
    receiveRate: download.received.rate,
    sendRate: upload.sent.rate,
  };
}
