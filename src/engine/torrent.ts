/** One torrent: its peers, its pieces, and what it tells the outside. */
import { type Bitfield, equalBytes, type Random, toHex } from '../units/index.ts';
import type { TorrentContent } from './content.ts';
import { describeTorrent } from './describe-torrent.ts';
import { MetadataCollector } from './metadata-collector.ts';
import type { PartialPiece } from './partial-piece.ts';
import type { Peer } from './peer.ts';
import { type PeerAddress, PeerBook, type PeerSource } from './peer-book.ts';
import type { EngineContext, PeerOwner } from './peer-owner.ts';
import { PieceWork, type PieceWorkDeps } from './piece-work.ts';
import type { Hasher, PieceStore } from './ports.ts';
import { RateMeter } from './rate-meter.ts';
import { Roster } from './roster.ts';
import type { SlabPool } from './slab-pool.ts';
import type { TorrentPhase, TorrentSnapshot } from './snapshot.ts';
import { Revealing } from './super-seeding.ts';
import type { Deadline } from './time-critical.ts';
import { type RateLimits, TorrentLimits } from './torrent-limits.ts';

/** What a torrent tells the outside. Called synchronously; must be quick. */
export interface TorrentEvents {
  /** The info dictionary of a magnet, proven by its hash: make a store and call `begin`. */
  onMetadata(infoBytes: Uint8Array): void;
  /** The piece layers of a magnet, by root in hex: its torrent file can be written. */
  onLayers?(layers: ReadonlyMap<string, Uint8Array>): void;
  /** A piece is right and on disk. */
  onPiece(piece: number): void;
  /** All that is wanted is right and on disk: `phase` tells whether that is everything. */
  onComplete(): void;
  /** The disk refused; the torrent has stopped. */
  onFailed(failure: Error): void;
  /** A peer was banned for bad data. */
  onBan(host: string): void;
}

/** Parts every torrent of an engine shares. */
export interface TorrentDeps {
  readonly engine: EngineContext;
  readonly hasher: Hasher;
  readonly slabs: SlabPool;
  readonly random: Random;
  readonly events: TorrentEvents;
  /** The 32 bytes of the v2 info-hash, when it is known. */
  readonly infoHashV2: Uint8Array | null;
}

/** A torrent of the engine. */
export class Torrent implements PeerOwner {
  readonly infoHash: Uint8Array;
  readonly key: string;
  readonly engine: EngineContext;
  readonly book: PeerBook = new PeerBook();
  readonly roster: Roster;
  /** Those connected, by their keys. */
  readonly peers: ReadonlyMap<number, Peer>;
  readonly received: RateMeter = new RateMeter();
  readonly sent: RateMeter = new RateMeter();
  readonly limits: TorrentLimits = new TorrentLimits();
  /** Of what was received, thrown away for a wrong hash. */
  corruptBytes = 0;
  work: PieceWork | null = null;
  /** 32 bytes; null in a torrent that is, as far as is known, v1. */
  infoHashV2: Uint8Array | null;
  /** The 20 bytes of a hybrid torrent's other info-hash. */
  otherHash: Uint8Array | null = null;
  collector: MetadataCollector | null = null;
  /** Peers are found through trackers alone (BEP 27); false while the metadata is unknown. */
  isPrivate = false;
  readonly revealing: Revealing;
  readonly #deps: TorrentDeps;
  #phase: TorrentPhase = 'metadata';
  /** Said before there were pieces. */
  #levels: Uint8Array | null = null;
  #isSequential = false;

  constructor(infoHash: Uint8Array, deps: TorrentDeps) {
    this.infoHash = infoHash;
    this.key = toHex(infoHash);
    this.engine = deps.engine;
    this.infoHashV2 = deps.infoHashV2;
    this.#deps = deps;
    const onBan = (host: string): void => deps.events.onBan(host);
    this.roster = new Roster({ book: this.book, engine: deps.engine, onBan });
    this.peers = this.roster.peers;
    this.revealing = new Revealing(this.peers);
    this.collector = new MetadataCollector({
      infoHash,
      infoHashV2: deps.infoHashV2,
      hasher: deps.hasher,
      onComplete: (infoBytes) => {
        this.collector = null;
        deps.events.onMetadata(infoBytes);
      },
    });
  }

  /** A hybrid torrent's info-hashes are known; returns 20 bytes of the one it is not called by. */
  identify({ v1, v2 }: { readonly v1: Uint8Array; readonly v2: Uint8Array }): Uint8Array {
    this.infoHashV2 = v2;
    this.otherHash = equalBytes(this.infoHash, v1) ? v2.slice(0, v1.length) : v1;
    return this.otherHash;
  }

  get infoBytes(): Uint8Array | null {
    return this.work?.content.infoBytes ?? null;
  }

  get phase(): TorrentPhase {
    return this.#phase;
  }

  get isDownloading(): boolean {
    return this.#phase === 'downloading';
  }

  get isSated(): boolean {
    return this.#phase === 'seeding' || this.#phase === 'finished';
  }

  get isStopped(): boolean {
    return this.#phase === 'stopped' || this.#phase === 'failed';
  }

  /**
   * It is known to be private; `begin` may be minutes away, while its files are checked. What a
   * magnet found by other ways than trackers is let go (BEP 27).
   */
  keepPrivate(): void {
    this.isPrivate = true;
    this.book.keepPrivate();
    this.roster.partFromUnknown('the torrent is private');
  }

  /** Starts moving pieces. `have` is what is on disk and known to be right. */
  begin(content: TorrentContent, have: Bitfield, store: PieceStore): void {
    const { engine, peers, isSequential } = this;
    const { slabs, random, hasher } = this.#deps;
    const deps = { engine, peers, slabs, random, hasher, events: this.#workEvents() };
    const wishes = { levels: this.#levels, isSequential };
    this.collector = null;
    if (content.isPrivate) this.keepPrivate();
    this.work = new PieceWork({ content, have, store }, wishes, deps);
    this.#phase = this.work.phase;
    if (this.#phase === 'seeding') this.revealing.begin(this.work.geometry.pieceCount, random);
    for (const peer of this.peers.values()) peer.onWorkReady();
  }

  /**
   * Sets how much each piece is wanted: 0 is not at all, 4 is usual, 7 comes first. Before `begin`
   * it is remembered; later it takes effect at once, also when all that was wanted is here.
   */
  prioritise(levels: Uint8Array): void {
    this.#levels = levels.slice();
    const { work } = this;
    if (!work) return;
    const turned = work.selection.replace(levels);
    work.picker.prioritise(work.takers());
    for (const peer of this.peers.values()) peer.download.pieces.onTurned(turned, work);
    if (this.isStopped) return;
    const wasSated = this.isSated;
    this.#phase = work.phase;
    if (wasSated && this.isDownloading) this.book.rouse();
    for (const peer of this.peers.values()) {
      peer.download.updateInterest();
      peer.flush();
    }
    if (!wasSated && this.isSated) this.#onSated();
  }

  /** Pieces are begun by index, not by rarity. Bad for the swarm; for those who cannot wait. */
  get isSequential(): boolean {
    return this.#isSequential;
  }
  set isSequential(isSequential: boolean) {
    this.#isSequential = isSequential;
    if (this.work) this.work.picker.isSequential = isSequential;
  }

  /**
   * Replaces the list of pieces that somebody waits for: they are asked for first, in order of
   * time, and when one will be late, of a faster peer as well. Pieces that are here or not wanted
   * are left out.
   */
  setDeadlines(deadlines: readonly Deadline[]): void {
    const { work } = this;
    if (!work?.picker.setDeadlines(deadlines, this.engine.clock())) return;
    // Somebody waits now, and the next tick is far.
    const rateOf = (peer: Peer): number => peer.download.receiveRate;
    for (const peer of [...this.peers.values()].sort((a, b) => rateOf(b) - rateOf(a))) {
      peer.download.hurry();
      if (peer.download.requests.wantsMore) peer.download.fill();
      peer.flush();
    }
  }

  /**
   * Closes every connection and gives memory back. What is on disk stays. With `keepsPeers`, those
   * stay that can be told which pieces are lost (BEP 54): at `begin` they are.
   */
  stop(reason: string, keepsPeers: boolean = false): void {
    if (!this.isStopped) this.#phase = 'stopped';
    for (const peer of [...this.peers.values()]) {
      if (!keepsPeers || !peer.rest()) peer.close(reason);
    }
    this.work?.hashes?.collector.abandon();
    this.work?.picker.abandon();
  }

  /** Adds addresses to connect to. */
  addPeers(addresses: Iterable<PeerAddress>, source: PeerSource): void {
    for (const address of addresses) this.book.add(address, source);
  }

  /** Limits this torrent's block payload, beside the common limits; effective at once. */
  limit({ upload, download }: RateLimits): void {
    const { limits, engine } = this;
    if (upload !== undefined) limits.upload.limit(upload);
    if (download !== undefined) limits.download.limit(download);
    engine.uploads.watch(limits.upload);
    engine.downloads.watch(this);
  }

  onReceived(byteCount: number): void {
    this.received.total += byteCount;
    this.engine.downloads.take(this, byteCount);
  }

  onSent(byteCount: number): void {
    this.sent.total += byteCount;
  }

  onPieceArrived(piece: PartialPiece): void {
    this.work?.flow.check(piece);
  }

  cancelElsewhere(piece: PartialPiece, block: number, giverKey: number): void {
    // Only at the end of a download is a block asked of several peers.
    if (piece.askersAtArrival(block) < 2) return;
    for (const peer of this.peers.values()) {
      if (peer.peerKey !== giverKey) peer.download.cancel(piece.index, block);
    }
  }

  onDiskFailure(failure: Error): void {
    if (this.isStopped) return;
    this.#phase = 'failed';
    this.stop('the disk failed', true);
    this.#deps.events.onFailed(failure);
  }

  /** Twice a second. */
  sample(elapsedMs: number): void {
    this.received.sample(elapsedMs);
    this.sent.sample(elapsedMs);
    for (const peer of this.peers.values()) peer.onSample(elapsedMs, this.engine.now);
    this.work?.picker.dropUnwanted();
    this.work?.hashes?.collector.tick(this.engine.now);
    this.revealing.tick(this.engine.now);
  }

  /** Verified and on disk, in whole pieces. */
  get haveBytes(): number {
    return this.work?.selection.hereBytes ?? 0;
  }

  /** Of the wanted pieces, still to be downloaded; null while the metadata is unknown. */
  get remainingBytes(): number | null {
    return this.work?.selection.remainingBytes ?? null;
  }

  /** Of all pieces, wanted or not, what is not here; null while the metadata is unknown. */
  get missingBytes(): number | null {
    return this.work?.missingBytes ?? null;
  }

  /** Everything the screen shows. */
  snapshot(): TorrentSnapshot {
    return describeTorrent(this);
  }

  #workEvents(): PieceWorkDeps['events'] {
    return {
      onLayers: (all) => this.#deps.events.onLayers?.(all),
      onGood: (piece) => this.#onGood(piece),
      onChecked: (peerKey, size, isGood) => {
        if (!isGood) this.corruptBytes += size;
        this.peers.get(peerKey)?.onChecked(size, isGood);
      },
      onGuilty: (peerKey) => this.roster.ban(peerKey),
      onDiskFailure: (failure) => this.onDiskFailure(failure),
    };
  }

  #onGood(piece: number): void {
    if (!this.work?.have.set(piece)) return;
    const { selection } = this.work;
    selection.onGot(piece);
    const before = this.#phase;
    if (!this.isStopped) this.#phase = this.work.phase;
    const wasWanted = selection.isWanted(piece);
    const isMemoryBack = this.#deps.slabs.takeRefusal();
    for (const peer of this.peers.values()) {
      peer.download.onWeGot(piece, wasWanted);
      // With nothing in flight it would stand still until the next tick.
      if (!isMemoryBack || peer.download.requests.size > 0) continue;
      peer.download.fill();
      peer.flush();
    }
    this.#deps.events.onPiece(piece);
    if (this.isSated && this.#phase !== before) this.#onSated();
  }

  #onSated(): void {
    for (const peer of [...this.peers.values()]) {
      peer.flush();
      peer.partFromSeed();
    }
    this.#deps.slabs.trim();
    this.#deps.events.onComplete();
  }
}
