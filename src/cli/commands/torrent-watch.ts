/** Follows one torrent of a node: prints its news, and knows how it ended. */
import type { NodeListener, PinholeReach, Reach } from '../../daemon/node/index.ts';
import { RemoteFailure, type TorrentNews } from '../../daemon/transfer/index.ts';
import type { Output } from '../output.ts';
import { pinholeFacts, pinholeLine, reachFacts, reachLine } from './reach-line.ts';

/** The listener of a node that works on one torrent. */
export class TorrentWatch implements NodeListener {
  readonly #output: Output;
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #failed: PromiseWithResolvers<never> = Promise.withResolvers<never>();
  readonly #lastTrackerLine = new Set<string>();
  readonly #marketLines = new Set<string>();
  /** What was said of how we are reached, by event. */
  readonly #reachLines = new Map<string, string>();
  readonly #metadata: PromiseWithResolvers<Uint8Array> = Promise.withResolvers<Uint8Array>();
  /** Pieces checked by now, while the files are being checked. */
  checking: { readonly checked: number; readonly pieceCount: number } | null = null;

  /** Room taken by now, while it is being taken. */
  allocating: { readonly doneBytes: number; readonly allBytes: number } | null = null;

  #isComplete = false;
  /** What is wrong with the disk, while the torrent waits for it. */
  waitsFor: string | null = null;

  constructor(output: Output) {
    this.#output = output;
    // Whoever waits gets the failure; until then it is not unhandled.
    this.#ended.promise.catch((failure) => this.#metadata.reject(failure));
    this.#metadata.promise.catch(() => {});
    this.#failed.promise.catch(() => {});
  }

  /** Resolves when everything is on disk; rejects when the torrent or the thread failed. */
  get complete(): Promise<void> {
    return this.#ended.promise;
  }

  /** Rejects when the torrent or the thread failed, also after it was complete. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** A magnet's info dictionary, once peers have sent it; rejects as `complete` does. */
  get metadata(): Promise<Uint8Array> {
    return this.#metadata.promise;
  }

  onNews(_torrent: string, news: TorrentNews): void {
    const output = this.#output;
    switch (news.kind) {
      case 'metadata':
        output.event('metadata', { name: news.name, infoBytes: news.infoBytes.length });
        output.line(`found out what it is: ${news.name}`);
        this.#metadata.resolve(news.infoBytes);
        break;
      case 'layers':
        output.event('layers', { files: news.layers.size });
        break;
      case 'checking':
        this.checking = { checked: news.checked, pieceCount: news.pieceCount };
        output.event('checking', this.checking);
        break;
      case 'allocating':
        this.allocating = { doneBytes: news.doneBytes, allBytes: news.allBytes };
        output.event('allocating', this.allocating);
        break;
      case 'waiting':
        this.#onWaiting(news.code, news.line);
        break;
      case 'started':
        this.checking = null;
        this.allocating = null;
        if (this.waitsFor !== null) output.notice('the disk can be used again: going on');
        this.waitsFor = null;
        output.event('started', { goodPieces: news.goodPieces, pieceCount: news.pieceCount });
        if (news.goodPieces > 0 && !this.#isComplete) {
          output.line(`${news.goodPieces} of ${news.pieceCount} pieces are here already`);
        }
        break;
      case 'tracker':
        this.#onTracker(news.line, news.isFailure);
        break;
      case 'ban':
        output.notice(news.line);
        break;
      case 'market':
        this.#onMarket(news.line);
        break;
      case 'complete':
        this.#isComplete = true;
        this.#ended.resolve();
        break;
      case 'failed':
        this.onCrash(new RemoteFailure(news.code, news.line));
        break;
      case 'resume':
      case 'wanted':
      case 'asleep':
        // For whoever keeps a session; a command does not.
        break;
    }
  }

  onNotice(line: string): void {
    this.#output.notice(line);
  }

  /** People read how they are reached when that is settled, and when it changes. */
  onReach(reach: Reach): void {
    this.#output.event('nat', reachFacts(reach));
    this.#sayReach('nat', reachLine(reach), reach.state === 'mapped');
  }

  /** As `onReach`, of the router's IPv6 firewall. */
  onPinholes(reach: PinholeReach): void {
    this.#output.event('pinholes', pinholeFacts(reach));
    this.#sayReach('pinholes', pinholeLine(reach), reach.state === 'open');
  }

  #sayReach(event: string, line: string | null, isGood: boolean): void {
    if (line === null || line === this.#reachLines.get(event)) return;
    this.#reachLines.set(event, line);
    if (isGood) this.#output.line(line);
    else if (!this.#output.isJson) this.#output.notice(line);
  }

  onCrash(failure: Error): void {
    this.#ended.reject(failure);
    this.#failed.reject(failure);
  }

  #onWaiting(code: string, line: string): void {
    this.waitsFor = line;
    const text = `paused: ${line}. It goes on by itself; Ctrl-C ends.`;
    if (this.#output.isJson) this.#output.event('paused', { code, text });
    else this.#output.notice(text);
  }

  /** The market tries again and again; people read why it does not pay once. */
  #onMarket(line: string): void {
    if (this.#marketLines.has(line) || this.#marketLines.size >= MARKET_LINES_MAX) return;
    this.#marketLines.add(line);
    this.#output.notice(line);
  }

  /** People read of a tracker's trouble once, not at every attempt. */
  #onTracker(line: string, isFailure: boolean): void {
    this.#output.event('tracker', { line, isFailure });
    if (this.#output.isJson || !isFailure || this.#lastTrackerLine.has(line)) return;
    if (this.#lastTrackerLine.size < TRACKER_LINES_MAX) this.#lastTrackerLine.add(line);
    this.#output.notice(line);
  }
}

/** Different lines of the market shown in one run. */
const MARKET_LINES_MAX = 100;

/** Different lines remembered; a torrent with more kinds of trouble repeats itself. */
const TRACKER_LINES_MAX = 1000;
