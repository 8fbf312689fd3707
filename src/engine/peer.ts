/**
 * One connection after its handshake. Messages are handed to its two sides, `peer-download.ts` and
 * `peer-upload.ts`, and to the extensions; here is its life-cycle.
 */
import type { Instant } from '../units/index.ts';
import { encodePort, PeerFramer, type PeerMessageSink, WireError } from '../wire/index.ts';
import type { PeerCounters } from './extension.ts';
import { ExtensionHub } from './extension-hub.ts';
import { HashExchange } from './hash-exchange.ts';
import { METADATA_EXTENSION, MetadataExchange } from './metadata-exchange.ts';
import { PeerDownload } from './peer-download.ts';
import { countersOf, linkOf } from './peer-link.ts';
import type { PeerOwner } from './peer-owner.ts';
import { PeerUpload } from './peer-upload.ts';
import { type MetPeer, PeerWiring } from './peer-wiring.ts';
import type { Connection, ConnectionEvents } from './ports.ts';

/** A keep-alive is sent after so long without any message (BEP 3 wants two minutes at most). */
const KEEP_ALIVE_MS = 100_000;
/** A peer that says nothing at all for so long is gone. */
const SILENCE_MS = 240_000;
/** A peer that reads so little of what it causes us to send is cut off: blocks alone wait less. */
const QUEUED_BYTES_MAX = 8 * 1024 * 1024;

/** A peer of one torrent. */
export class Peer implements ConnectionEvents, PeerMessageSink {
  readonly connectedAt: Instant;
  /** What counts as one with its address; null where that is not counted. */
  readonly place: string | null;
  readonly download: PeerDownload;
  readonly upload: PeerUpload;
  readonly #wiring: PeerWiring;
  readonly #framer: PeerFramer;
  readonly #metadata: MetadataExchange;
  readonly #hashes: HashExchange;
  readonly #hub: ExtensionHub | null;
  #heardAt: Instant;
  #spokeAt: Instant;
  #isPaused = false;
  #hasToldPort = false;

  constructor(owner: PeerOwner, met: MetPeer) {
    this.#wiring = new PeerWiring(owner, met);
    this.place = owner.engine.placeOf(met.connection.remoteHost);
    this.connectedAt = owner.engine.now;
    this.#heardAt = this.connectedAt;
    this.#spokeAt = this.connectedAt;
    this.download = new PeerDownload(this.#wiring);
    this.upload = new PeerUpload(this.#wiring);
    this.#framer = new PeerFramer(this);
    this.#wiring.dropTarget = () => this.#framer.dropTarget();
    this.#hashes = new HashExchange(this.#wiring);
    this.#metadata = new MetadataExchange(owner, met.peerKey, (payload) =>
      this.#hub?.sendTo(METADATA_EXTENSION, payload),
    );
    this.#hub = met.remote.flags.extended ? this.#makeHub() : null;
    this.#wiring.sessions = this.#hub?.sessions ?? [];
  }

  get peerKey(): number {
    return this.#wiring.peerKey;
  }
  get torrentKey(): string {
    return this.#wiring.owner.key;
  }
  get connection(): Connection {
    return this.#wiring.connection;
  }
  get remoteHost(): string {
    return this.#wiring.connection.remoteHost;
  }
  get remotePort(): number {
    return this.#wiring.connection.remotePort;
  }
  get isOutbound(): boolean {
    return this.#wiring.connection.isOutbound;
  }
  get remoteListenPort(): number | null {
    return this.#hub?.remote.listenPort ?? null;
  }
  get remoteClient(): string | null {
    return this.#hub?.remote.clientName ?? null;
  }
  get remotePeerId(): Uint8Array {
    return this.#wiring.remote.peerId;
  }
  get isDownloading(): boolean {
    return this.#wiring.owner.isDownloading;
  }
  /** It wants nothing: it has everything, or says so (BEP 21). */
  get isSeed(): boolean {
    return this.#hub?.remote.isUploadOnly || this.download.pieces.isComplete;
  }
  get isClosed(): boolean {
    return this.#wiring.isClosed;
  }
  get counters(): PeerCounters {
    return countersOf(this);
  }

  /** Whether an extension still needs the connection. */
  get isSettling(): boolean {
    return this.#wiring.sessions.some((session) => session.isSettling);
  }

  /** Says what we are and have. Called once, when the torrent knows the peer. */
  start(): void {
    this.upload.announcePieces();
    const { owner, flags, outbox } = this.#wiring;
    const { dhtPort } = owner.engine;
    if (dhtPort > 0 && flags.dht) outbox.push(encodePort(dhtPort));
    this.#hub?.greet();
    this.download.begin();
    this.flush();
  }

  /** Whether it stays while the torrent's pieces are looked for anew: it can be told of losses. */
  rest(): boolean {
    const { owner, flags } = this.#wiring;
    const isTellable = flags.fast && this.#hub?.hearsOfLosses && !owner.revealing.isOn;
    if (!isTellable || this.isSettling || !owner.work || !this.download.rest()) return false;
    this.upload.rest();
    this.flush();
    return true;
  }

  /** The metadata has come, or a rest ends: what the peer said is understood now, or wrong. */
  onWorkReady(): void {
    this.upload.announceLate();
    this.#hub?.tellLost(this.upload.takeLost());
    this.#hub?.greet();
    this.#listen(() => this.download.begin());
    this.flush();
  }

  close(reason: string): void {
    this.#wiring.close(reason);
  }

  onOpen(): void {}

  onClosed(): void {
    if (this.isClosed) return;
    this.#wiring.isClosed = true;
    this.#framer.stop();
    this.download.close();
    this.upload.close();
    this.#metadata.onClosed();
    this.#hashes.onClosed();
    const { owner, sessions } = this.#wiring;
    for (const session of sessions) session.onClosed(owner.engine.now);
    owner.roster.onClosed(this.peerKey);
  }

  onBytes(view: Uint8Array): void {
    this.#heardAt = this.#wiring.owner.engine.now;
    if (!this.#listen(() => this.#framer.push(view))) return;
    if (this.download.requests.wantsMore) this.download.fill();
    this.upload.wake();
    this.flush();
  }

  onDrain(): void {
    this.upload.wake();
  }

  /** About ten times a second. */
  onTick(now: Instant): void {
    const { owner, sessions, connection } = this.#wiring;
    for (const session of sessions) session.onTick(now);
    if (owner.collector) this.#metadata.onTick(now);
    if (owner.work?.hashes) this.#hashes.onTick(now);
    // Of two thousand peers most are waiting for something: this must cost nothing for them.
    const { isInteresting, requests } = this.download;
    if (isInteresting && requests.wantsMore) this.download.fill();
    this.flush();
    this.partFromSeed();
    if (now - this.#heardAt > SILENCE_MS) this.close('it has been silent for four minutes');
    else if (now - this.#spokeAt > KEEP_ALIVE_MS) {
      this.#spokeAt = now;
      connection.write([new Uint8Array(4)]);
    }
  }

  /** Twice a second: rates, pipeline depth, snubbing. */
  onSample(elapsedMs: number, now: Instant): void {
    this.download.sample(elapsedMs, now);
    this.upload.sent.sample(elapsedMs);
    this.#hub?.greetIfChanged();
  }

  /** The download limit closes and opens the tap. */
  pauseReading(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#wiring.connection.pauseReading();
    else this.#wiring.connection.resumeReading();
  }

  /** Sends what has been queued since. */
  flush(): void {
    const { outbox, isClosed, owner, connection } = this.#wiring;
    if (outbox.isEmpty || isClosed) return;
    this.#spokeAt = owner.engine.now;
    outbox.flush();
    if (connection.queuedBytes > QUEUED_BYTES_MAX) this.close('it does not read what it asks for');
  }

  /** A piece was checked: `byteCount` of it came from here. */
  onChecked(byteCount: number, isGood: boolean): void {
    if (isGood) this.download.verifiedBytes += byteCount;
    for (const session of this.#wiring.sessions) {
      if (isGood) session.onVerified(byteCount);
      else session.onPieceFailed();
    }
  }

  // The framer's events.

  onChoke(isChoking: boolean): void {
    this.download.onChoke(isChoking);
  }

  onInterested(isInterested: boolean): void {
    this.upload.onInterested(isInterested);
  }

  onHave(index: number): void {
    this.download.pieces.add(index, this.#wiring.owner.work);
    this.#onPiecesChanged(index);
  }

  onBitfield(bits: Uint8Array): void {
    this.download.pieces.setBits(bits, this.#wiring.owner.work);
    this.#onPiecesChanged();
  }

  onHaveAll(): void {
    this.download.pieces.setAll(this.#wiring.owner.work);
    this.#onPiecesChanged();
  }

  onHaveNone(): void {}

  onReject(index: number, begin: number, length: number): void {
    this.download.onReject(index, begin, length);
  }

  onAllowedFast(index: number): void {
    this.download.onAllowedFast(index);
  }

  /** BEP 5. Heard once: more of them would be a way to make us knock at many doors. */
  onPort(port: number): void {
    const { engine } = this.#wiring.owner;
    if (this.#hasToldPort || port === 0) return;
    this.#hasToldPort = true;
    engine.onDhtNode({ host: this.remoteHost, port });
  }

  onRequest(index: number, begin: number, length: number): void {
    this.upload.onRequest(index, begin, length);
  }

  onCancel(index: number, begin: number, length: number): void {
    this.upload.onCancel(index, begin, length);
  }

  onBlockStart(index: number, begin: number, length: number): Uint8Array | null {
    return this.download.startBlock(index, begin, length);
  }

  onBlockEnd(index: number, begin: number, length: number): void {
    const { owner, sessions } = this.#wiring;
    const { tag, piece, block } = this.download.finishBlock(index, begin, length);
    owner.onReceived(length);
    if (tag === null) return;
    for (const session of sessions) session.onBlockReceived(tag, length, owner.engine.now);
    if (!piece) return;
    owner.cancelElsewhere(piece, block, this.peerKey);
    if (piece.isDone) owner.onPieceArrived(piece);
  }

  onExtended(id: number, payload: Uint8Array): void {
    const { owner } = this.#wiring;
    if (!this.#hub?.receive(id, payload, owner.engine.now)) return;
    const { reqq } = this.#hub.remote;
    if (reqq !== null && reqq > 0) this.download.requests.limitDepth(reqq);
    this.partFromSeed();
    if (owner.collector) this.#metadata.onTick(owner.engine.now);
  }

  onHashMessage(id: number, body: Uint8Array): void {
    this.#hashes.onMessage(id, body);
  }

  #onPiecesChanged(piece: number | null = null): void {
    const { revealing, engine } = this.#wiring.owner;
    revealing.onShown(this.peerKey, piece, engine.now);
    this.download.updateInterest();
    this.partFromSeed();
  }

  /** A seed is of no use to us when we want nothing, unless to an extension. */
  partFromSeed(): void {
    const { owner } = this.#wiring;
    const isUseless = owner.isSated && this.isSeed;
    if (isUseless && !this.isSettling) owner.roster.onSeedMet(this.peerKey);
  }

  /** Does what a peer's bytes ask for; false when they broke the protocol, and it is cut off. */
  #listen(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (failure) {
      if (!(failure instanceof WireError)) throw failure;
      this.close(failure.message);
      return false;
    }
  }

  #makeHub(): ExtensionHub {
    const wiring = this.#wiring;
    const { owner, outbox } = wiring;
    const { download, upload } = this;
    return new ExtensionHub(owner, {
      metadata: this.#metadata,
      onDontHave: (piece) => {
        download.pieces.remove(piece, owner.work);
        download.updateInterest();
      },
      transmit: (message) => {
        if (this.isClosed) return;
        outbox.push(message);
        this.flush();
      },
      linkFor: (send) => linkOf({ wiring, download, upload }, send),
    });
  }
}
