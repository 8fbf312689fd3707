/**
 * One torrent's files at work: what of them is right and the record of it, looks at them now and
 * then, rests, and the wait for a disk that refuses. Begins and stops the torrent in the engine.
 */
import type { Torrent } from '../../engine/index.ts';
import {
  type Allocation,
  isPassing,
  Placement,
  type ResumeTarget,
  TorrentStore,
} from '../../platform/disk/index.ts';
import { AppError, Bitfield } from '../../units/index.ts';
import type { InfoDict } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { type Place, targetAt } from '../places/place.ts';
import { DiskWait, probeDisk } from './disk-wait.ts';
import type { FileClaims } from './file-claims.ts';
import { FileLooks } from './file-looks.ts';
import { type FoundTorrent, incomplete, makeReady, usesOf } from './make-ready.ts';
import type { RestartTerms, TorrentNews, TorrentSpec } from './messages.ts';
import { type CheckTurn, PieceFinder } from './piece-finder.ts';
import { keeperFor, type ResumeKeeper, ResumeWriter } from './resume-keeper.ts';
import { contentOf } from './torrent-content.ts';
import type { TorrentWishes } from './torrent-wishes.ts';

/** What all torrents of a loop share. */
export interface FilesDeps {
  readonly resumeDir: string | null;
  readonly tell: (news: TorrentNews) => void;
  readonly checkTurn: CheckTurn;
  readonly claims: FileClaims;
  readonly allocation: Allocation;
}

/** Whose files they are. */
export interface FilesOwner {
  readonly torrent: Torrent;
  readonly wishes: TorrentWishes;
  readonly spec: TorrentSpec;
  /** Of v2 files, by root in hex, as far as they are known. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  /** Pieces move from now on. */
  readonly onBegun: (info: InfoDict) => void;
}

/** See the head of this file. Failures are told as news, and end the work. */
export class TorrentFiles {
  readonly #owner: FilesOwner;
  readonly #deps: FilesDeps;
  readonly #keeper: ResumeKeeper | null;
  readonly #resume: ResumeWriter;
  readonly #finder: PieceFinder;
  #place: Place;
  #mustBeComplete: boolean;
  #abort = new AbortController();
  #beginning: Promise<void> = Promise.resolve();
  #target: ResumeTarget | null = null;
  #store: TorrentStore | null = null;
  #info: InfoDict | null = null;
  #looks: FileLooks | null = null;
  /** While the disk refuses. */
  #wait: DiskWait | null = null;
  /** Whether the last record is of less than what is here now, or of a torrent being written. */
  #isRecordOld = true;
  #isEnding = false;
  /** The files are left alone until `goOn`. */
  #isResting = false;

  constructor(owner: FilesOwner, deps: FilesDeps) {
    const { spec, torrent } = owner;
    const { resumeDir, tell } = deps;
    this.#owner = owner;
    this.#deps = deps;
    this.#keeper = keeperFor(spec, { key: torrent.key, resumeDir, tell });
    this.#resume = new ResumeWriter(this.#keeper);
    this.#finder = new PieceFinder(deps);
    this.#place = { root: spec.root, names: spec.names ?? [] };
    this.#mustBeComplete = spec.mustBeComplete;
  }

  /** What an earlier run has recorded is not believed. */
  async forgetRecord(): Promise<void> {
    await this.#keeper?.save(null);
  }

  /**
   * The files are known: checks what of them is on disk, and starts; unless they rest, or are made
   * to meanwhile. Rejects with what `fail` is to be told.
   */
  begin(info: InfoDict): Promise<void> {
    this.#info = info;
    if (this.#isResting) return Promise.resolve();
    this.#beginning = this.#takeUp(info).catch((failure) => {
      if (!this.#isResting && !this.#isEnding) throw failure;
    });
    return this.#beginning;
  }

  /** Stops for files that others have changed or taken away. Asked for once a second. */
  lookIfDue(nowMs: number): void {
    const looks = this.#looks;
    const { torrent } = this.#owner;
    if (!looks || torrent.isStopped) return;
    void looks.lookIfDue(nowMs).then((trouble) => {
      if (trouble && looks === this.#looks && !torrent.isStopped) this.fail(trouble);
    });
  }

  /** Asks a disk that refused again, now. */
  retry(): void {
    this.#wait?.retry();
  }

  /**
   * Lets go of the files: peers leave, what is here is recorded. Trackers and known peers stay.
   * Waits until nothing is written any more.
   */
  async rest(): Promise<void> {
    const { torrent } = this.#owner;
    this.#isResting = true;
    this.#abort.abort();
    this.#wait?.end();
    this.#wait = null;
    if (!this.#info) return;
    torrent.stop('its files are at rest');
    await this.#beginning.catch(() => {});
    await this.#store?.close();
    await this.#saveStopped();
    this.#deps.claims.release(torrent.key);
  }

  /** Takes the files up again after a rest, where they are now. */
  async goOn(terms: RestartTerms): Promise<void> {
    this.#place = { root: terms.root, names: terms.names ?? this.#place.names };
    this.#mustBeComplete &&= terms.mayDownload !== true;
    if (terms.resume !== undefined) await this.#keeper?.save(terms.resume);
    this.#abort = new AbortController();
    this.#isResting = false;
    if (!this.#info || this.#isEnding) return;
    this.begin(this.#info).then(
      () => this.#owner.torrent.book.rouse(),
      (failure) => this.fail(failure),
    );
  }

  /** Replaces the priorities of files; a disk that fails fails the torrent. */
  async prioritise(priorities: readonly number[]): Promise<void> {
    try {
      await this.#owner.wishes.prioritise(priorities);
    } catch (failure) {
      if (!(failure instanceof DaemonError)) this.fail(failure);
      throw failure;
    }
    this.#isRecordOld = true;
    this.#looks?.expectWrites();
    this.#save();
  }

  /** A piece is verified and on disk. */
  onPiece(): void {
    this.#looks?.expectWrites();
    if (this.#resume.isDue(this.#target?.layout.files.length ?? 0)) this.#save();
  }

  /** All that is wanted is on disk: it is told when that is recorded. */
  onComplete(): void {
    this.#save();
    this.#tellComplete().catch((failure) => this.fail(failure));
  }

  /** The end is near: nothing is begun, waited for or told any more. */
  end(): void {
    this.#isEnding = true;
    this.#abort.abort();
    this.#wait?.end();
  }

  /** Closes the files and writes the record, once the torrent has left the engine. */
  async close(): Promise<void> {
    await this.#store?.close();
    this.#deps.claims.release(this.#owner.torrent.key);
    if (this.#isRecordOld) this.#save();
    await this.#resume.settled;
  }

  /** Waits where that may help, else stops and says why. */
  fail(failure: unknown): void {
    if (this.#isEnding || this.#isResting || this.#wait) return;
    if (!(failure instanceof AppError)) throw failure;
    if (this.#looks && isPassing(failure)) {
      this.#waitFor(failure);
      return;
    }
    const { torrent, wishes } = this.#owner;
    wishes.end(failure);
    this.#deps.claims.release(torrent.key);
    torrent.stop(failure.message);
    this.#save();
    this.#deps.tell({ kind: 'failed', code: failure.code, line: failure.message });
  }

  async #takeUp(info: InfoDict): Promise<void> {
    const { torrent, wishes, pieceLayers, onBegun } = this.#owner;
    const { claims, tell } = this.#deps;
    const target = targetAt(torrent.key, info, this.#place);
    const { layout } = target;
    const placement = new Placement(layout, info.pieceLengthBytes);
    this.#target = target;
    const known = await this.#finder.recorded(this.#keeper, target, info);
    wishes.place(info, placement);
    const looks = new FileLooks(layout, () => torrent.isDownloading);
    // Before they are hashed: what changes while they are is noticed.
    await looks.look();
    const layers = new Map(pieceLayers);
    const have =
      known ?? (await this.#finder.hashed({ info, layers, placement }, this.#abort.signal));
    const found = { info, layout, have };
    if (this.#mustBeComplete && !have.isComplete) throw await incomplete(found);
    claims.take({ key: torrent.key, name: info.name }, usesOf(found));
    if (!have.isComplete || wishes.mustFit) await this.#makeReady(found, looks);
    if (this.#isEnding || this.#isResting) return;
    this.#store = new TorrentStore(placement);
    this.#looks = looks;
    torrent.begin(contentOf(info, layers), have, this.#store);
    wishes.begin();
    onBegun(info);
    tell({ kind: 'started', goodPieces: have.count, pieceCount: have.size });
    this.#isRecordOld = known === null || !have.isComplete;
    if (this.#isRecordOld) this.#save();
    if (!torrent.isDownloading) tell({ kind: 'complete' });
  }

  /** Makes files that may be written, and are ours alone. */
  async #makeReady(found: FoundTorrent, looks: FileLooks): Promise<void> {
    const { wishes } = this.#owner;
    const { allocation, tell } = this.#deps;
    await wishes.prepare();
    await makeReady(found, {
      allocation,
      isWanted: (file) => wishes.isWanted(file),
      mustFit: wishes.mustFit,
      onProgress: (doneBytes, allBytes) => tell({ kind: 'allocating', doneBytes, allBytes }),
      onReplaced: (path) => looks.expectAnother(path),
      signal: this.#abort.signal,
    });
  }

  async #tellComplete(): Promise<void> {
    const { torrent, wishes } = this.#owner;
    const looks = this.#looks;
    // What was deleted while it was open is still written to, and nobody finds it afterwards.
    const trouble = await looks?.lookAtComplete((file) => wishes.isWanted(file));
    if (looks !== this.#looks || torrent.isStopped) return;
    if (trouble) {
      this.fail(trouble);
      return;
    }
    // The record is part of being done: a restart must not hash everything again.
    await this.#resume.settled;
    if (torrent.phase === 'seeding') this.#deps.claims.settle(torrent.key);
    this.#deps.tell({ kind: 'complete' });
  }

  /** Stops until the disk can be used again; then begins anew with what is there. */
  #waitFor(failure: AppError): void {
    const { torrent } = this.#owner;
    const needsRoom = (torrent.remainingBytes ?? 0) > 0;
    const wait = new DiskWait((isForced) => this.#probe(needsRoom, isForced));
    this.#wait = wait;
    torrent.stop(failure.message, true);
    const tell = ({ code, message }: AppError): void =>
      this.#deps.tell({ kind: 'waiting', code, line: message });
    tell(failure);
    const goOn = async (): Promise<void> => {
      await this.#store?.close();
      await this.#saveStopped();
      if (!(await wait.isOver(failure, tell)) || !this.#info) return;
      this.#wait = null;
      await this.begin(this.#info);
      torrent.book.rouse();
    };
    goOn().catch((again) => this.fail(again));
  }

  /** What is wrong with the disk still. */
  async #probe(needsRoom: boolean, isForced: boolean): Promise<AppError | null> {
    const { remainingBytes, work } = this.#owner.torrent;
    const writeBytes = needsRoom ? (remainingBytes ?? 0) : 0;
    const hadFiles = (work?.have.count ?? 0) > 0;
    const layout = !isForced && hadFiles ? (this.#target?.layout ?? null) : null;
    return probeDisk({ root: this.#place.root, name: this.#info?.name ?? '', writeBytes, layout });
  }

  /** Records what is here, unless the files are not what we left. */
  async #saveStopped(): Promise<void> {
    const have = this.#owner.torrent.work?.have;
    if (!have || !this.#target) return;
    const isAsLeft = (await this.#looks?.look()) === null;
    this.#resume.save(this.#target, isAsLeft ? have : new Bitfield(have.size), false);
    await this.#resume.settled;
  }

  #save(): void {
    const { work, isStopped, isDownloading } = this.#owner.torrent;
    if (!work || !this.#target || this.#wait || this.#isResting) return;
    const isWriting = isDownloading && !isStopped;
    this.#isRecordOld = isWriting;
    this.#resume.save(this.#target, work.have, isWriting);
  }
}
