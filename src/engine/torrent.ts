/** One torrent: its peers, its pieces, and what it tells the outside. */
import { type Bitfield, equalBytes, type Random, toHex } from '../units/index.ts';
import { isTrusted } from './blame.ts';
import { PieceGeometry, type TorrentContent } from './content.ts';
import { DepartedPeers } from './departed-peers.ts';
import { describeTorrent } from './describe-torrent.ts';
import { MetadataCollector } from './metadata-collector.ts';
import type { PartialPiece } from './partial-piece.ts';
import type { Peer } from './peer.ts';
import { type PeerAddress, PeerBook, type PeerSource } from './peer-book.ts';
import type { EngineContext, PeerOwner, PieceWork } from './peer-owner.ts';
import { PieceFlow } from './piece-flow.ts';
import { PiecePicker } from './piece-picker.ts';
import type { Hasher, PieceStore } from './ports.ts';
import { RateMeter } from './rate-meter.ts';
import { Selection } from './selection.ts';
import type { SlabPool } from './slab-pool.ts';
import type { TorrentPhase, TorrentSnapshot } from './snapshot.ts';
import { Revealing } from './super-seeding.ts';
import type { Taker } from './taker.ts';
import type { Deadline } from './time-critical.ts';
import { TorrentHashes } from './torrent-hashes.ts';
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
  readonly peers: Map<number, Peer> = new Map();
  readonly received: RateMeter = new RateMeter();
  readonly sent: RateMeter = new RateMeter();
  readonly limits: TorrentLimits = new TorrentLimits();
  /** Of what was received, thrown away for a wrong hash. */
  corruptBytes = 0;
  /** Peers wanted at most. */
  peersMax = 100;
  work: PieceWork | null = null;
  hashes: TorrentHashes | null = null;
  /** 32 bytes; null in a torrent that is, as far as is known, v1. */
  infoHashV2: Uint8Array | null;
  /** The 20 bytes of a hybrid torrent's other info-hash. */
  otherHash: Uint8Array | null = null;
  collector: MetadataCollector | null = null;
  /** Peers are found through trackers alone (BEP 27); false while the metadata is unknown. */
  isPrivate = false;
  readonly revealing: Revealing = new Revealing(this.peers);
  readonly #deps: TorrentDeps;
  readonly #departed = new DepartedPeers();
  #content: TorrentContent | null = null;
  #flow: PieceFlow | null = null;
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
    return this.#content?.infoBytes ?? null;
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
    for (const peer of [...this.peers.values()]) {
      const isKnown = this.book.knows({ host: peer.remoteHost, port: peer.remotePort });
      if (peer.isOutbound && !isKnown) peer.close('the torrent is private');
    }
  }

  /** Starts moving pieces. `have` is what is on disk and known to be right. */
  begin(content: TorrentContent, have: Bitfield, store: PieceStore): void {
    const geometry = new PieceGeometry(content);
    const { slabs, random, hasher } = this.#deps;
    const selection = new Selection(geometry, have, this.#levels);
    const hashes = content.hashedFiles ? this.#hashesOf(content) : null;
    const needsLayers = hashes?.wishForLayers() && hashes.isV2Only;
    const isReady = (piece: number): boolean => hashes?.trees.isKnown(piece) ?? true;
    const picker = new PiecePicker(geometry, selection, {
      ...{ slabs, random, takers: () => this.#takers() },
      mayIsolate: (peerKey) => isTrusted(peerKey, this.peers),
      ...(needsLayers ? { isReady } : {}),
    });
    picker.isSequential = this.#isSequential;
    this.collector = null;
    this.#content = content;
    if (content.isPrivate) this.keepPrivate();
    this.work = { geometry, have, selection, picker, store };
    this.hashes = hashes;
    this.#flow = new PieceFlow(content, this.work, { hasher, hashes, events: this.#flowEvents() });
    this.#phase = this.#phaseOf(this.work);
    if (this.#phase === 'seeding') this.revealing.begin(geometry.pieceCount, random);
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
    work.picker.prioritise(this.#takers());
    for (const peer of this.peers.values()) peer.download.pieces.onTurned(turned, work);
    if (this.isStopped) return;
    const wasSated = this.isSated;
    this.#phase = this.#phaseOf(work);
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
    this.hashes?.collector.abandon();
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

  /** A connection has shaken hands. */
  adopt(peer: Peer): void {
    this.peers.set(peer.peerKey, peer);
    peer.start();
  }

  /** The connected peer with this id. */
  peerWithId(peerId: Uint8Array): Peer | null {
    for (const peer of this.peers.values()) if (equalBytes(peer.remotePeerId, peerId)) return peer;
    return null;
  }

  onReceived(byteCount: number): void {
    this.received.total += byteCount;
    this.engine.downloads.take(this, byteCount);
  }

  onSent(byteCount: number): void {
    this.sent.total += byteCount;
  }

  onPieceArrived(piece: PartialPiece): void {
    this.#flow?.check(piece);
  }

  cancelElsewhere(piece: PartialPiece, block: number, giverKey: number): void {
    // Only at the end of a download is a block asked of several peers.
    if (piece.askersAtArrival(block) < 2) return;
    for (const peer of this.peers.values()) {
      if (peer.peerKey !== giverKey) peer.download.cancel(piece.index, block);
    }
  }

  onSeedMet(peerKey: number): void {
    const peer = this.peers.get(peerKey);
    if (!peer) return;
    this.book.onSeed({ host: peer.remoteHost, port: peer.remotePort }, this.engine.now);
    peer.close('both sides have everything');
  }

  onDiskFailure(failure: Error): void {
    if (this.isStopped) return;
    this.#phase = 'failed';
    this.stop('the disk failed', true);
    this.#deps.events.onFailed(failure);
  }

  onPeerClosed(peerKey: number, _reason: string): void {
    const peer = this.peers.get(peerKey);
    if (!peer) return;
    this.peers.delete(peerKey);
    const address = { host: peer.remoteHost, port: peer.remotePort };
    this.#departed.add(peerKey, address);
    if (peer.isOutbound) this.book.onClosed(address, this.engine.now, true);
  }

  /** Twice a second. */
  sample(elapsedMs: number): void {
    this.received.sample(elapsedMs);
    this.sent.sample(elapsedMs);
    for (const peer of this.peers.values()) peer.onSample(elapsedMs, this.engine.now);
    this.work?.picker.dropUnwanted();
    this.hashes?.collector.tick(this.engine.now);
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
    return this.work ? this.work.geometry.totalBytes - this.haveBytes : null;
  }

  /** Everything the screen shows. */
  snapshot(): TorrentSnapshot {
    const [name, failedPieces] = [this.#content?.name ?? null, this.#flow?.failedPieces ?? 0];
    return describeTorrent(this, { name, failedPieces });
  }

  onLie(peerKey: number): void {
    this.#ban(peerKey);
  }

  #hashesOf(content: TorrentContent): TorrentHashes {
    const { hasher, events } = this.#deps;
    const deps = { hasher, engine: this.engine };
    return new TorrentHashes(content, { ...deps, onLayers: (all) => events.onLayers?.(all) });
  }

  #flowEvents(): ConstructorParameters<typeof PieceFlow>[2]['events'] {
    return {
      onGood: (piece) => this.#onGood(piece),
      onChecked: (peerKey, size, isGood) => {
        if (!isGood) this.corruptBytes += size;
        this.peers.get(peerKey)?.onChecked(size, isGood);
      },
      onGuilty: (peerKey) => this.#ban(peerKey),
      onDiskFailure: (failure) => this.onDiskFailure(failure),
    };
  }

  #onGood(piece: number): void {
    if (!this.work?.have.set(piece)) return;
    const { selection } = this.work;
    selection.onGot(piece);
    const before = this.#phase;
    if (!this.isStopped) this.#phase = this.#phaseOf(this.work);
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

  #phaseOf({ have, selection }: PieceWork): TorrentPhase {
    if (selection.missingCount > 0) return 'downloading';
    return have.isComplete ? 'seeding' : 'finished';
  }

  *#takers(): Iterable<Taker> {
    for (const peer of this.peers.values()) yield peer.download;
  }

  #onSated(): void {
    for (const peer of [...this.peers.values()]) {
      peer.flush();
      peer.partFromSeed();
    }
    this.#deps.slabs.trim();
    this.#deps.events.onComplete();
  }

  #ban(peerKey: number): void {
    const peer = this.peers.get(peerKey);
    const address = peer
      ? { host: peer.remoteHost, port: peer.remotePort }
      : this.#departed.addressOf(peerKey);
    if (!address) return;
    peer?.close('it sent bad data');
    if (this.book.isBanned(address)) return;
    this.book.ban(address);
    this.#deps.events.onBan(address.host);
  }
}
