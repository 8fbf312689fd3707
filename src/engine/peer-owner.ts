/** What a peer connection needs of the torrent it serves. */
import type { Instant } from '../units/index.ts';
import type { DownloadTap } from './download-tap.ts';
import type { PeerExtension } from './extension.ts';
import type { MetadataOwner } from './metadata-exchange.ts';
import type { PartialPiece } from './partial-piece.ts';
import type { PeerAddress } from './peer-book.ts';
import type { PieceWork } from './piece-work.ts';
import type { Revealing } from './super-seeding.ts';
import type { TorrentLimits } from './torrent-limits.ts';
import type { UploadScheduler } from './upload-scheduler.ts';

/** Things common to all torrents of an engine. */
export interface EngineContext {
  /** The time of the event being handled, to about a tick. */
  readonly now: Instant;
  /** The time to the millisecond, for what has to be timed. */
  clock(): Instant;
  readonly localPeerId: Uint8Array;
  readonly clientName: string;
  readonly listenPort: number;
  /** UDP port of our DHT node; 0 while there is none. */
  readonly dhtPort: number;
  readonly extensions: readonly PeerExtension[];
  readonly uploads: UploadScheduler;
  readonly downloads: DownloadTap;
  readonly sha1: (view: Uint8Array) => Uint8Array;
  /** Which hosts count as one; null for those that are not counted. */
  readonly placeOf: (host: string) => string | null;
  requestRechoke(): void;
  /** A peer says that its DHT node is there. */
  onDhtNode(address: PeerAddress): void;
}

/** Where it is said that a peer has left, or has to. */
export interface PeerRoll {
  onClosed(peerKey: number): void;
  /** It turned out to have everything, while we lack nothing either. */
  onSeedMet(peerKey: number): void;
  /** What it said or sent is proven wrong: nobody at its host is talked to again. */
  ban(peerKey: number): void;
}

/** A torrent, as its peers see it. */
export interface PeerOwner extends MetadataOwner {
  readonly key: string;
  readonly infoHash: Uint8Array;
  readonly engine: EngineContext;
  readonly limits: TorrentLimits;
  readonly roster: PeerRoll;
  /** Null while only a magnet is known. */
  readonly work: PieceWork | null;
  readonly isDownloading: boolean;
  /** Nothing is wanted any more: everything is here, or all that was selected. */
  readonly isSated: boolean;
  /** Whether it shows its pieces one at a time (BEP 16). */
  readonly revealing: Revealing;
  /** Block payload moved, for the torrent's totals. */
  onReceived(byteCount: number): void;
  onSent(byteCount: number): void;
  /** All blocks of a piece are here. */
  onPieceArrived(piece: PartialPiece): void;
  /** A block that others were asked for too has come. */
  cancelElsewhere(piece: PartialPiece, block: number, giverKey: number): void;
  onDiskFailure(failure: Error): void;
}

/** Whether we say that we want nothing (BEP 21); not while we pretend to have nothing. */
export function saysUploadOnly({
  isSated,
  revealing,
}: {
  readonly isSated: boolean;
  readonly revealing: { readonly isOn: boolean };
}): boolean {
  return isSated && !revealing.isOn;
}
