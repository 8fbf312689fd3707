/**
 * A web seed in a peer's clothes: to the engine a connection to somebody who has everything, so
 * that picking, blame, bans and limits are those of any peer. Requests of neighbouring blocks
 * become one HTTP range.
 */
import { hash } from 'node:crypto';
import type { Connection, ConnectionEvents } from '../../engine/index.ts';
import { AppError } from '../../units/index.ts';
import {
  type BlockRef,
  decodeHandshake,
  encodeBare,
  encodeBlockRef,
  encodeHandshake,
  HANDSHAKE_BYTES,
  MESSAGE,
  PeerFramer,
  type PeerMessageSink,
} from '../../wire/index.ts';
import { PlatformError } from '../platform-error.ts';
import { explainFailure } from '../tracker/tracker-error.ts';
import { BlockCutter } from './block-cutter.ts';
import type { WebSeedFiles } from './web-seed-files.ts';
import type { WebSeedReader } from './web-seed-reader.ts';

/** What a connection is made with. */
export interface WebSeedConnectionDeps {
  readonly url: string;
  readonly port: number;
  readonly events: ConnectionEvents;
  /** The files of the torrent with this info-hash; null when the seed is not for it. */
  readonly filesOf: (infoHash: Uint8Array) => WebSeedFiles | null;
  /** Loads what speaks HTTP: torrents without web seeds do not pay for it. */
  readonly openReader: (files: WebSeedFiles) => Promise<WebSeedReader>;
  /** It ended; `failure` says why when that is the web seed's fault. */
  readonly onEnd: (gaveBytes: number, failure: string | null) => void;
}

/** Ranges asked for at a time: the next is on its way while one is received. */
const RUNS_MAX = 4;
/** Longest range, so that a connection's end costs little. */
const RUN_BYTES_MAX = 4 * 1024 * 1024;
/** Blocks asked for and not yet begun: more than the engine ever has open. */
const QUEUE_MAX = 2048;

/** A connection to one web seed for one torrent. */
export class WebSeedConnection implements Connection {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly isOutbound = true;
  /** What is written is read at once. */
  readonly queuedBytes = 0;
  readonly #deps: WebSeedConnectionDeps;
  readonly #abort = new AbortController();
  readonly #framer = new PeerFramer(this.#sink());
  #files: WebSeedFiles | null = null;
  #reader: WebSeedReader | null = null;
  #queue: BlockRef[] = [];
  #runs = 0;
  #gaveBytes = 0;
  #isClosed = false;
  /** Resolves when reading goes on; null while it is not paused. */
  #pause: { readonly ended: Promise<void>; readonly end: () => void } | null = null;

  constructor(deps: WebSeedConnectionDeps) {
    this.#deps = deps;
    this.remoteHost = deps.url;
    this.remotePort = deps.port;
    // The gate learns of its connection only after this returns.
    queueMicrotask(() => {
      if (!this.#isClosed) deps.events.onOpen();
    });
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    if (!this.#isClosed) {
      for (const part of parts) this.#read(part);
      queueMicrotask(() => this.#startRuns());
    }
    done?.();
  }

  pauseReading(): void {
    this.#pause ??= paused();
  }

  resumeReading(): void {
    this.#pause?.end();
    this.#pause = null;
  }

  close(reason: string): void {
    this.#close(reason, null);
  }

  #close(reason: string, failure: string | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#framer.stop();
    this.#queue = [];
    this.#abort.abort();
    this.#reader?.close();
    this.resumeReading();
    this.#deps.onEnd(this.#gaveBytes, failure);
    queueMicrotask(() => this.#deps.events.onClosed(reason));
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    const isInWords = error instanceof AppError && !(error instanceof PlatformError);
    const reason = isInWords ? error.message : explainFailure(error);
    this.#close(reason, reason);
  }

  /** The first thing the engine writes is a whole handshake. */
  #read(part: Uint8Array): void {
    if (this.#files) {
      this.#framer.push(part);
      return;
    }
    const { infoHash } = decodeHandshake(part.subarray(0, HANDSHAKE_BYTES));
    this.#files = this.#deps.filesOf(infoHash);
    if (!this.#files) this.#close('it is not for this torrent', null);
    else void this.#answer(infoHash, this.#files).catch((error) => this.#fail(error));
  }

  /** Shakes hands once the server has proved to be there and to have the first file. */
  async #answer(infoHash: Uint8Array, files: WebSeedFiles): Promise<void> {
    const reader = await this.#deps.openReader(files);
    if (this.#isClosed) {
      reader.close();
      return;
    }
    this.#reader = reader;
    await reader.probe(this.#abort.signal);
    const flags = { extended: false, fast: true, dht: false };
    const name = Buffer.from('-WS0000-');
    const own = hash('sha1', this.#deps.url, 'buffer').subarray(0, 20 - name.length);
    const peerId = new Uint8Array(Buffer.concat([name, own]));
    await this.#emit(encodeHandshake({ infoHash, peerId, flags }));
    await this.#emit(encodeBare(MESSAGE.haveAll));
    await this.#emit(encodeBare(MESSAGE.unchoke));
  }

  /** Hands bytes to the engine when it is ready for them. */
  async #emit(view: Uint8Array): Promise<void> {
    while (this.#pause) await this.#pause.ended;
    if (!this.#isClosed) this.#deps.events.onBytes(view);
  }

  #startRuns(): void {
    while (this.#runs < RUNS_MAX && this.#reader && !this.#isClosed) {
      const run = this.#nextRun(this.#reader.files.pieceLengthBytes);
      if (!run) return;
      this.#runs++;
      this.#give(this.#reader, run).then(
        () => {
          this.#runs--;
          this.#startRuns();
        },
        (error) => this.#fail(error),
      );
    }
  }

  /** Takes the oldest request and all that follow it in the torrent too. */
  #nextRun(pieceBytes: number): readonly BlockRef[] | null {
    const [first] = this.#queue;
    if (!first) return null;
    let end = 0;
    let count = 0;
    for (const block of this.#queue) {
      const start = block.index * pieceBytes + block.begin;
      if (count > 0 && start !== end) break;
      end = start + block.length;
      count++;
      if (end - (first.index * pieceBytes + first.begin) >= RUN_BYTES_MAX) break;
    }
    return this.#queue.splice(0, count);
  }

  async #give(reader: WebSeedReader, run: readonly BlockRef[]): Promise<void> {
    const [first] = run;
    if (!first) return;
    const start = first.index * reader.files.pieceLengthBytes + first.begin;
    const length = run.reduce((sum, block) => sum + block.length, 0);
    const cutter = new BlockCutter(run);
    for await (const chunk of reader.read(start, length, this.#abort.signal)) {
      for (const message of cutter.push(chunk)) {
        await this.#emit(message);
        this.#gaveBytes += message.length;
      }
    }
  }

  #sink(): PeerMessageSink {
    const ignore = (): void => {};
    return {
      onRequest: (index, begin, length) => {
        if (this.#queue.length < QUEUE_MAX) this.#queue.push({ index, begin, length });
        else this.#close('it was asked for too much', null);
      },
      onCancel: (index, begin, length) => this.#cancel({ index, begin, length }),
      onChoke: ignore,
      onInterested: ignore,
      onHave: ignore,
      onBitfield: ignore,
      onHaveAll: ignore,
      onHaveNone: ignore,
      onReject: ignore,
      onAllowedFast: ignore,
      onExtended: ignore,
      onBlockStart: () => null,
      onBlockEnd: ignore,
    };
  }

  /** What has not begun is not fetched; a cancelled request is answered by a reject (BEP 6). */
  #cancel({ index, begin, length }: BlockRef): void {
    const at = this.#queue.findIndex((block) => block.index === index && block.begin === begin);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    void this.#emit(encodeBlockRef(MESSAGE.reject, { index, begin, length }));
  }
}

function paused(): { readonly ended: Promise<void>; readonly end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { ended: promise, end: resolve };
}
