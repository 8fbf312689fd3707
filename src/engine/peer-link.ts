/** The link an extension gets: a narrow view of a peer. */
import type { PeerCounters, PeerLink } from './extension.ts';
import type { PeerDownload } from './peer-download.ts';
import type { PeerUpload } from './peer-upload.ts';
import type { PeerWiring } from './peer-wiring.ts';

/** The two sides of a peer. */
export interface PeerSides {
  readonly download: PeerDownload;
  readonly upload: PeerUpload;
}

/** Binds a peer to one extension's `send`. */
export function linkOf(
  { wiring, download, upload }: PeerSides & { readonly wiring: PeerWiring },
  send: (payload: Uint8Array) => void,
): PeerLink {
  const { peerKey, owner, connection, remote } = wiring;
  const { remoteHost, remotePort, isOutbound } = connection;
  return {
    ...{ peerKey, remoteHost, remotePort, isOutbound },
    torrentKey: owner.key,
    // A hybrid torrent has two names: both ends take the one that was dialled.
    infoHash: isOutbound ? owner.infoHash : remote.infoHash,
    localPeerId: owner.engine.localPeerId,
    remotePeerId: remote.peerId,
    get pieceLengthBytes(): number {
      return owner.work?.geometry.pieceLengthBytes ?? 0;
    },
    get isDownloading(): boolean {
      return owner.isDownloading;
    },
    get isServed(): boolean {
      return !download.isChokingUs;
    },
    get counters(): PeerCounters {
      return countersOf({ download, upload });
    },
    send,
    setRequestTag: (tag) => {
      download.requests.tag = tag;
    },
    setServeTag: (tag) => {
      upload.tag = tag;
    },
    resumeUpload: () => upload.wake(),
    requestRechoke: () => owner.engine.requestRechoke(),
    close: (reason) => wiring.close(reason),
  };
}

/** What a peer has moved, and how fast. */
export function countersOf({ download, upload }: PeerSides): PeerCounters {
  return {
    receivedBytes: download.received.total,
    sentBytes: upload.sent.total,
    verifiedBytes: download.verifiedBytes,
    receiveRate: download.received.rate,
    sendRate: upload.sent.rate,
  };
}
