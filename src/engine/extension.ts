/**
 * The seam for BEP 10 extensions that live outside the engine. The engine offers a link per peer
 * and calls back on blocks; it never learns what the extension is about.
 */
import type { Instant } from '../units/index.ts';

/** Requests with this tag are ordinary. */
export const FREE_TAG = 0;

/** Live counters of one connection: plain numbers, read whenever needed. */
export interface PeerCounters {
  /** Block payload received and sent since the connection opened, in bytes. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Of the received bytes, those in pieces whose hash was right. */
  readonly verifiedBytes: number;
  /** Smoothed over about 2 s, in bytes a second. */
  readonly receiveRate: number;
  readonly sendRate: number;
}

/** What the engine gives an extension for one connection. */
export interface PeerLink {
  /** Unique among the engine's connections, never reused. */
  readonly peerKey: number;
  /** Lower-case hex of the info-hash of the torrent this connection serves. */
  readonly torrentKey: string;
  readonly infoHash: Uint8Array;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly isOutbound: boolean;
  readonly localPeerId: Uint8Array;
  readonly remotePeerId: Uint8Array;
  /** Length of this torrent's pieces in bytes; 0 while the metadata is unknown. */
  readonly pieceLengthBytes: number;
  /** Whether we still want data from this torrent. */
  readonly isDownloading: boolean;
  /** Whether the remote lets us ask for blocks: it does not choke us. */
  readonly isServed: boolean;
  readonly counters: PeerCounters;
  /** Sends one extension message; ignored while the remote has not announced the extension. */
  send(payload: Uint8Array): void;
  /** Requests we send from now on carry `tag`; both ends see the same order. */
  setRequestTag(tag: number): void;
  /** Requests received from now on carry `tag`. */
  setServeTag(tag: number): void;
  /** Credit grew: look at this peer's queue again. */
  resumeUpload(): void;
  /** Asks for a round of the upload policy soon (at most a few a second are run). */
  requestRechoke(): void;
  /** Closes the connection; `reason` is one plain line for the log. */
  close(reason: string): void;
}

/** One connection's side of an extension. Every call is synchronous and must be quick. */
export interface PeerExtensionSession {
  /** There is something to finish: the connection stays, though neither side lacks pieces. */
  readonly isSettling: boolean;
  /** False leaves the extension out of our handshakes with this peer; absent is true. */
  readonly isOffered?: boolean;
  /** The remote's extension handshake names us (again): it can be talked to. */
  onSupported(now: Instant): void;
  /** A message of this extension. Throwing `WireError` closes the connection. Borrows `payload`. */
  onMessage(payload: Uint8Array, now: Instant): void;
  /** How many more bytes of blocks tagged `tag` may be sent now. Called before each such block. */
  creditBytes(tag: number): number;
  /** A block was handed to the socket. */
  onBlockSent(tag: number, byteCount: number): void;
  /** A requested block arrived (not yet verified). */
  onBlockReceived(tag: number, byteCount: number, now: Instant): void;
  /** Of a finished piece, this many bytes came from this peer, and the hash was right. */
  onVerified(byteCount: number): void;
  /** A piece this peer contributed to failed its hash. */
  onPieceFailed(): void;
  /** About ten times a second. */
  onTick(now: Instant): void;
  onClosed(now: Instant): void;
}

/** An extension the engine offers to every peer that speaks BEP 10. */
export interface PeerExtension {
  /** Its name in the handshake's `m` dictionary, for example `bw_pay`. */
  readonly name: string;
  attach(link: PeerLink): PeerExtensionSession;
}
