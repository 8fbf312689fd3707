/** One download as commands run it: progress, loneliness, time limit, summary. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TorrentSource } from '../../daemon/index.ts';
import type { TorrentNode, Turnover } from '../../daemon/node/index.ts';
import type { CommandPlace } from '../../daemon/places/index.ts';
import type { TorrentSpec } from '../../daemon/transfer/index.ts';
import { type Atto, type AttoPerMib, assert, formatSize } from '../../units/index.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { aborted } from '../waits.ts';
import type { NetworkOptions, Trade } from './node-options.ts';
import {
  downloadLine,
  formatDuration,
  progressFacts,
  shortBtt,
  type TorrentStatus,
  uploadLine,
} from './status-line.ts';
import type { TorrentWatch } from './torrent-watch.ts';

/** Options of every command that downloads, as commander collects them. */
export interface RunOptions extends NetworkOptions {
  readonly to: string;
  readonly timeout?: number;
  readonly maxPrice?: AttoPerMib;
  readonly budget?: Atto;
}

/** How often the state is printed; a terminal is refreshed faster. */
const PROGRESS_MS = 1_000;
const LIVE_MS = 250;

/** Without any peer for so long, people are told; and again after so long. */
const LONELY_MS = 8_000;
const LONELY_AGAIN_MS = 60_000;

/** What is wanted of the torrent. */
export type RunWishes = Pick<
  TorrentSpec,
  'useTrackers' | 'trackers' | 'isSequential' | 'mustFit' | 'filePriorities' | 'otherFilesPriority'
>;

/** What a download works with. */
export interface RunParts {
  readonly context: Context;
  readonly options: RunOptions;
  readonly watch: TorrentWatch;
  readonly node: TorrentNode;
  readonly place: CommandPlace;
}

/** One download from its first peer to its summary. */
export class DownloadRun {
  readonly #parts: RunParts;
  readonly #startedAt = performance.now();
  #key = '';
  #lonelyAt = performance.now() + LONELY_MS;
  #completedAfter: number | null = null;
  #summary: ((turnover: Turnover) => void) | null = null;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /** Adds the torrent to the node; the torrent's key. */
  async begin(source: TorrentSource, wishes: RunWishes): Promise<string> {
    const { context, options, node, place } = this.#parts;
    context.output.event('listening', { port: node.transfer.port });
    this.#key = await node.transfer.add({
      source,
      root: place.root,
      names: place.names,
      peers: options.peer ?? [],
      mustBeComplete: false,
      mustRecheck: options.recheck ?? false,
      ...wishes,
    });
    return this.#key;
  }

  /** Shows progress until all that is wanted is here, which is told, or until `newer`. */
  async complete(newer?: AbortSignal): Promise<boolean> {
    const { complete } = this.#parts.watch;
    const isOver = await this.follow(newer ? Promise.race([complete, aborted(newer)]) : complete);
    const isComplete = isOver && !newer?.aborted;
    if (isComplete) this.#completedAfter = this.#elapsedMs;
    return isComplete;
  }

  /** Shows progress until `end` or a stop; false when stopped before `end`. Throws on a timeout. */
  async follow(end: Promise<void>): Promise<boolean> {
    const { context, options } = this.#parts;
    const stop = context.catchStop();
    const everyMs = context.output.isLive ? LIVE_MS : PROGRESS_MS;
    const outcome = end.then(() => 'end' as const);
    const stopped = stop.wait().then(() => 'stopped' as const);
    for (;;) {
      const tick = new AbortController();
      const pause = sleep(everyMs, 'tick' as const, { signal: tick.signal }).catch(() => 'tick');
      const what = await Promise.race([outcome, stopped, pause]);
      tick.abort();
      if (what === 'end') return true;
      if (what === 'stopped') return false;
      await this.#show();
      this.#checkTime(options.timeout);
    }
  }

  /** For programs and people who wait, when the command itself goes on: `next` says how long. */
  tellComplete(next: string): void {
    const { output } = this.#parts.context;
    const seconds = this.#seconds;
    output.event('complete', { infoHash: this.#key, seconds });
    output.line(`complete after ${formatDuration(seconds)}; ${next}`);
  }

  /** Ends it without a summary; what its files share with another torrent need not come again. */
  async leave(): Promise<null> {
    const { transfer } = this.#parts.node;
    await transfer.settle();
    await transfer.remove(this.#key);
    return null;
  }

  /**
   * Takes the last numbers while the node can still be asked. `ok` says that the command has done
   * its job, which may be done before everything is here.
   */
  async finish(ok: boolean, isComplete: boolean = ok): Promise<void> {
    const { transfer } = this.#parts.node;
    await transfer.settle();
    const snapshot = await transfer.snapshot();
    const torrent = snapshot.torrents[0];
    assert(torrent, 'the torrent is still there');
    const facts = {
      ok,
      infoHash: this.#key,
      name: torrent.name,
      bytes: torrent.haveBytes,
      wantedBytes: torrent.wantedBytes,
      receivedBytes: torrent.receivedBytes,
      sentBytes: torrent.sentBytes,
      goodPieces: torrent.goodPieces,
      pieceCount: torrent.pieceCount,
      failedPieces: torrent.failedPieces,
      seconds: this.#seconds,
      vouchers: snapshot.exchange?.buyer?.voucherCount ?? 0,
      ...(ok ? {} : { code: 'CLI_STOPPED', error: 'stopped before it was complete' }),
    };
    const { output } = this.#parts.context;
    const sentence = isComplete
      ? this.#sentence(torrent)
      : `stopped: ${this.#state(torrent)}; the same command continues`;
    this.#summary = ({ paid }) => {
      const money = paid > 0n ? `, paid ${shortBtt(paid)} BTT` : '';
      output.summary({ ...facts, paidAtto: paid }, [`${sentence}${money}`]);
    };
  }

  /** Prints the result; after the node has stopped, so that it is the last line. */
  summarize(turnover: Turnover): void {
    this.#summary?.(turnover);
  }

  async #show(): Promise<void> {
    const { context, watch, node } = this.#parts;
    const { output } = context;
    if (watch.checking) {
      const { checked, pieceCount } = watch.checking;
      return output.progress(`checking what is here: ${checked} of ${pieceCount} pieces`);
    }
    if (watch.allocating) {
      const { doneBytes, allBytes } = watch.allocating;
      const size = formatSize(allBytes);
      return output.progress(`taking room: ${formatSize(doneBytes)} of ${size}`);
    }
    if (watch.waitsFor !== null) return output.progress(`paused: ${watch.waitsFor}`);
    const snapshot = await node.transfer.snapshot();
    const torrent = snapshot.torrents[0];
    if (!torrent) return;
    output.event('progress', { ...progressFacts(snapshot, torrent), seconds: this.#seconds });
    const isSeeding = torrent.phase === 'seeding' || torrent.phase === 'finished';
    output.progress(isSeeding ? uploadLine(snapshot, torrent) : downloadLine(snapshot, torrent));
    if (!isSeeding) this.#checkLoneliness(torrent);
  }

  #checkLoneliness(torrent: TorrentStatus): void {
    const now = performance.now();
    if (torrent.peers.length > 0) this.#lonelyAt = now + LONELY_MS;
    if (now < this.#lonelyAt) return;
    this.#lonelyAt = now + LONELY_AGAIN_MS;
    const { context, options } = this.#parts;
    const known =
      torrent.knownPeers === 0
        ? `no peer is known yet${options.trackers ? '' : ' (trackers are off)'}`
        : `no known peer can be reached yet (${torrent.knownPeers} tried)`;
    context.output.notice(`${known}; still trying. --peer HOST:PORT names one.`);
  }

  #checkTime(seconds: number | undefined): void {
    if (seconds === undefined || this.#completedAfter !== null) return;
    if (this.#elapsedMs < seconds * 1000) return;
    throw new CliError('CLI_TIMEOUT', `not complete after ${seconds} s: gave up as asked`);
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  get #seconds(): number {
    return Math.round(this.#completedAfter ?? this.#elapsedMs) / 1000;
  }

  #sentence(torrent: TorrentStatus): string {
    const isWhole = torrent.goodPieces === torrent.pieceCount;
    const size = formatSize(isWhole ? torrent.totalBytes : torrent.wantedBytes);
    const what = isWhole ? torrent.name : `the selection of ${torrent.name}`;
    const { options, place } = this.#parts;
    const where = place.root === resolve(options.to) ? options.to : place.root;
    if (torrent.receivedBytes === 0) return `${what} (${size}) is complete in ${where}`;
    const rate = `${formatSize(torrent.receivedBytes / Math.max(0.001, this.#seconds))}/s`;
    const time = formatDuration(this.#seconds);
    return `${what} (${size}) is complete in ${where} after ${time}, ${rate}`;
  }

  #state(torrent: TorrentStatus): string {
    if (torrent.totalBytes === 0) return 'nobody has told yet what the torrent is';
    return `${torrent.goodPieces} of ${torrent.pieceCount} pieces are on disk`;
  }
}

/** Buying takes both numbers: what a byte may cost, and what all of them may cost. */
export function buyerTrade({ maxPrice, budget }: RunOptions): Trade | null {
  if (maxPrice === undefined && budget === undefined) return null;
  if (maxPrice === undefined || budget === undefined) {
    const missing = budget === undefined ? '--budget BTT' : '--max-price BTT';
    throw new CliError('CLI_USAGE', `buying takes --max-price and --budget: add ${missing}`);
  }
  return { buyer: { maxPrice, budget }, seller: null };
}
