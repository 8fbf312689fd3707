/**
 * One torrent from its file or magnet to its end: metadata, what is on disk, pieces, trackers,
 * and the resume record. Runs in the transfer thread.
 */
import { join } from 'node:path';
import type { Engine, Torrent, TorrentContent } from '../../engine/index.ts';
import {
  checkFiles,
  FileLayout,
  hasAnyFile,
  Placement,
  piecesOf,
  type ResumeTarget,
  TorrentStore,
} from '../../platform/disk/index.ts';
import { AppError, Bitfield, toHex } from '../../units/index.ts';
import { type InfoDict, isNamedBy, parseInfoDict } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { Announced, Announcing } from './announcing.ts';
import type { TorrentNews, TorrentSpec } from './messages.ts';
import { keeperFor, type ResumeKeeper, ResumeWriter } from './resume-keeper.ts';
import { contentOf, digests, readInput, type TorrentInput } from './torrent-input.ts';
import { TorrentWishes } from './torrent-wishes.ts';

/** Does `work` when it is its turn: hashing files one torrent after another. */
export type CheckTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** What a runner is given by the loop. */
export interface RunnerDeps {
  readonly engine: Engine;
  readonly resumeDir: string | null;
  readonly tell: (news: TorrentNews) => void;
  readonly checkTurn: CheckTurn;
  /** Those of a torrent that was asleep go on. */
  readonly announcingFor: (announced: Announced) => Announcing;
}

/**
 * A resume record is refreshed when pieces come in and the last one is so old: a little later for
 * each file, all of which are looked at, but sooner than a record's trust in newer files ends.
 */
const RESUME_EVERY_MS = 5_000;
const RESUME_EVERY_MS_PER_FILE = 5;
const RESUME_EVERY_MS_MAX = 20_000;

/** A torrent at work. */
export class TorrentRunner {
  readonly torrent: Torrent;
  readonly announcing: Announcing;
  readonly wishes: TorrentWishes;
  readonly #deps: RunnerDeps;
  readonly #spec: TorrentSpec;
  readonly #input: TorrentInput;
  readonly #abort = new AbortController();
  readonly #keeper: ResumeKeeper | null;
  readonly #resume: ResumeWriter;
  #target: ResumeTarget | null = null;
  #store: TorrentStore | null = null;
  #busyAt = -Infinity;
  /** Whether the last record is of less than what is here now, or of a torrent being written. */
  #isRecordOld = true;
  #isStopping = false;

  /** Reads the source; throws `WireError` or `DaemonError` for one that cannot be used. */
  constructor(spec: TorrentSpec, deps: RunnerDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#input = readInput(spec.source);
    const { infoHash, info, trackers, peers } = this.#input;
    const key = toHex(infoHash);
    const { engine, tell } = deps;
    if (engine.torrents.has(key)) {
      throw new DaemonError('DAEMON_TORRENT_DUPLICATE', 'this torrent is already being worked on');
    }
    this.#keeper = keeperFor(spec, { key, resumeDir: deps.resumeDir, tell });
    this.#resume = new ResumeWriter(this.#keeper);
    this.torrent = engine.add(infoHash, {
      onMetadata: (infoBytes) => this.#onMetadata(infoBytes),
      onPiece: (piece) => this.#onPiece(piece),
      onComplete: () => this.#onComplete(),
      onFailed: (failure) => this.#fail(failure),
      onBan: (host) => tell({ kind: 'ban', line: `${host} sent bad data and was banned` }),
    });
    this.wishes = new TorrentWishes(this.torrent, spec, this.#input.selectOnly);
    this.torrent.addPeers([...spec.peers, ...peers], 'user');
    const isPrivate = info?.isPrivate ?? false;
    const used = spec.useTrackers ? trackers : [];
    this.announcing = deps.announcingFor({ infoHash, trackers: used, isPrivate });
    this.announcing.attach(this.torrent);
  }

  /** Goes to work. Failures are told, not thrown. */
  async start(): Promise<void> {
    try {
      if (this.#input.info) await this.#begin(this.#input.info);
      await this.announcing.start();
    } catch (failure) {
      this.#fail(failure);
    }
  }

  /** Says goodbye to the trackers, writes the resume record, closes the files. */
  async stop(): Promise<void> {
    await Promise.all([this.announcing.stop(), this.#close()]);
  }

  /** Closes all but the announces, which the caller takes over: nobody wanted it for a while. */
  async fallAsleep(): Promise<void> {
    this.announcing.detach();
    await this.#close();
  }

  /**
   * How long a complete torrent has had no peers and called none; 0 for others, and always when the
   * spec does not allow sleeping. Asked about once a second.
   */
  idleMs(nowMs: number): number {
    const { torrent } = this;
    const isBusy = torrent.phase !== 'seeding' || torrent.peers.size > 0 || torrent.book.isCalling;
    if (isBusy || this.#busyAt < 0) this.#busyAt = nowMs;
    return this.#spec.maySleep ? nowMs - this.#busyAt : 0;
  }

  /** Replaces the priorities of files; a disk that fails fails the torrent. */
  async prioritiseFiles(priorities: readonly number[]): Promise<void> {
    try {
      await this.wishes.prioritise(priorities);
    } catch (failure) {
      if (!(failure instanceof DaemonError)) this.#fail(failure);
      throw failure;
    }
    this.#isRecordOld = true;
    this.#save();
  }

  async #close(): Promise<void> {
    this.#isStopping = true;
    this.#abort.abort();
    this.wishes.end();
    this.#deps.engine.remove(this.torrent);
    await this.#store?.close();
    if (this.#isRecordOld) this.#save();
    await this.#resume.settled;
  }

  /** Checks what is on disk, and starts. */
  async #begin(info: InfoDict): Promise<void> {
    const content = contentOf(info);
    const { root } = this.#spec;
    const layout = new FileLayout(root, info.files, join(root, `.${this.torrent.key}.parts`));
    const placement = new Placement(layout, info.pieceLengthBytes);
    const target = { infoHash: this.torrent.key, layout, pieceCount: info.pieceCount };
    this.#target = target;
    const known = await this.#recordedPieces(target);
    this.wishes.place(info, placement);
    const have = known ?? (await this.#findPieces(content, placement));
    if (this.#spec.mustBeComplete && !have.isComplete) throw incomplete(layout, have);
    if (!have.isComplete) await this.wishes.prepare();
    if (this.#isStopping) return;
    this.#store = new TorrentStore(placement);
    this.torrent.begin(content, have, this.#store);
    this.wishes.begin();
    const { count: goodPieces, size: pieceCount } = have;
    this.#deps.tell({ kind: 'started', goodPieces, pieceCount });
    this.#isRecordOld = known === null || !have.isComplete;
    if (this.#isRecordOld) this.#save();
    if (!this.torrent.isDownloading) this.#deps.tell({ kind: 'complete' });
  }

  /** Pieces that are right as the resume record says; null when there is none to believe. */
  async #recordedPieces(target: ResumeTarget): Promise<Bitfield | null> {
    const record = (await this.#keeper?.load()) ?? null;
    return record && piecesOf(record, target);
  }

  /** Pieces that are right, found by hashing what is there. */
  async #findPieces(content: TorrentContent, placement: Placement): Promise<Bitfield> {
    const pieceCount = Math.ceil(content.totalBytes / content.pieceLengthBytes);
    if (!(await hasAnyFile(placement.layout))) return new Bitfield(pieceCount);
    return this.#deps.checkTurn(() => this.#check(content, placement, pieceCount));
  }

  #check(content: TorrentContent, layout: Placement, pieceCount: number): Promise<Bitfield> {
    let toldAt = -Infinity;
    return checkFiles(
      { layout, ...content },
      {
        signal: this.#abort.signal,
        onProgress: (checked) => {
          const now = performance.now();
          if (now - toldAt < 200) return;
          toldAt = now;
          this.#deps.tell({ kind: 'checking', checked, pieceCount });
        },
      },
    );
  }

  #onMetadata(infoBytes: Uint8Array): void {
    try {
      const info = parseInfoDict(infoBytes, digests);
      if (!isNamedBy(info, this.torrent.infoHash)) return;
      if (info.isPrivate) this.announcing.leaveDht();
      this.#deps.tell({ kind: 'metadata', name: info.name, infoBytes: infoBytes.slice() });
      this.#begin(info).catch((failure) => this.#fail(failure));
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #onPiece(piece: number): void {
    this.wishes.onPiece(piece);
    const fileCount = this.#target?.layout.files.length ?? 0;
    const everyMs = RESUME_EVERY_MS + RESUME_EVERY_MS_PER_FILE * fileCount;
    if (this.#resume.ageMs > Math.min(everyMs, RESUME_EVERY_MS_MAX)) this.#save();
  }

  #onComplete(): void {
    // Who left files out has not completed the torrent (BEP 21).
    if (this.torrent.phase === 'seeding') this.announcing.completed();
    this.#save();
    // The record is part of being done: a restart must not hash everything again.
    this.#resume.settled.then(() => this.#deps.tell({ kind: 'complete' }));
  }

  #fail(failure: unknown): void {
    if (this.#isStopping) return;
    if (!(failure instanceof AppError)) throw failure;
    this.wishes.end(failure);
    this.torrent.stop(failure.message);
    this.#save();
    this.#deps.tell({ kind: 'failed', code: failure.code, line: failure.message });
  }

  #save(): void {
    const { work, isStopped, isDownloading } = this.torrent;
    if (!work || !this.#target) return;
    const isWriting = isDownloading && !isStopped;
    this.#isRecordOld = isWriting;
    this.#resume.save(this.#target, work.have, isWriting);
  }
}

function incomplete(layout: FileLayout, have: Bitfield): DaemonError {
  const { root } = layout;
  return new DaemonError(
    'DAEMON_DATA_INCOMPLETE',
    `${root} holds ${have.count} of ${have.size} pieces: give the folder with the whole data, ` +
      'or download the torrent first',
    { root, goodPieces: have.count, pieceCount: have.size },
  );
}
