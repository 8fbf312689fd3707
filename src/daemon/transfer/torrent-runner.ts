/**
 * One torrent from its file or magnet to its end: metadata, what is on disk, pieces, trackers,
 * and the resume record. Runs in the transfer thread.
 */
import { join } from 'node:path';
import type { Engine, Torrent } from '../../engine/index.ts';
import {
  checkFiles,
  diskFailure,
  FileLayout,
  hasAnyFile,
  isBackedByFiles,
  isPassing,
  Placement,
  piecesOf,
  probeFolder,
  type ResumeTarget,
  TorrentStore,
} from '../../platform/disk/index.ts';
import type { WebSeeds } from '../../platform/webseed/index.ts';
import { AppError, Bitfield, toHex } from '../../units/index.ts';
import { type InfoDict, isNamedBy, parseInfoDict } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { checkTrees } from '../torrents/check-trees.ts';
import type { Announced, Announcing } from './announcing.ts';
import { DiskWait } from './disk-wait.ts';
import { FileLooks } from './file-looks.ts';
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
  readonly webSeeds: WebSeeds;
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

/** What is hashed to see what is right. */
interface CheckTarget {
  readonly info: InfoDict;
  /** By root in hex; those that turn out to be right are added. */
  readonly layers: Map<string, Uint8Array>;
  readonly placement: Placement;
}

/** A disk that was full is believed to have room when so much more can be written. */
const PROBE_BYTES = 4 * 1024 * 1024;

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
  #info: InfoDict | null = null;
  #looks: FileLooks | null = null;
  /** While the disk refuses. */
  #wait: DiskWait | null = null;
  #busyAt = -Infinity;
  /** Whether the last record is of less than what is here now, or of a torrent being written. */
  #isRecordOld = true;
  #isStopping = false;

  /** Reads the source; throws `WireError` or `DaemonError` for one that cannot be used. */
  constructor(spec: TorrentSpec, deps: RunnerDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#input = readInput(spec.source);
    const { infoHash, infoHashV2, info, trackers, peers } = this.#input;
    const key = toHex(infoHash);
    const { engine, tell } = deps;
    if (engine.torrents.has(key)) {
      throw new DaemonError('DAEMON_TORRENT_DUPLICATE', 'this torrent is already being worked on');
    }
    this.#keeper = keeperFor(spec, { key, resumeDir: deps.resumeDir, tell });
    this.#resume = new ResumeWriter(this.#keeper);
    const events = {
      onMetadata: (infoBytes: Uint8Array) => this.#onMetadata(infoBytes),
      onLayers: (layers: ReadonlyMap<string, Uint8Array>) => this.#onLayers(layers),
      onPiece: (piece: number) => this.#onPiece(piece),
      onComplete: () => this.#onComplete(),
      onFailed: (failure: Error) => this.#fail(failure),
      onBan: (host: string) => tell({ kind: 'ban', line: `${host} sent bad data and was banned` }),
    };
    this.torrent = engine.add(infoHash, events, infoHashV2);
    this.#identify(this.#input);
    this.wishes = new TorrentWishes(this.torrent, spec, this.#input.selectOnly);
    this.torrent.addPeers([...spec.peers, ...peers], 'user');
    const isPrivate = info?.isPrivate ?? false;
    const used = spec.useTrackers ? trackers : [];
    this.announcing = deps.announcingFor({ infoHash, trackers: used, isPrivate });
    this.announcing.attach(this.torrent);
    this.#announceOther();
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

  /** Stops for files that others have changed or taken away. Asked for once a second. */
  lookAtFiles(nowMs: number): void {
    const looks = this.#looks;
    if (!looks || this.torrent.isStopped) return;
    void looks.lookIfDue(nowMs).then((trouble) => {
      if (trouble && looks === this.#looks && !this.torrent.isStopped) this.#fail(trouble);
    });
  }

  /** Asks a disk that refused again, now. */
  retry(): void {
    this.#wait?.retry();
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
    this.#looks?.expectWrites();
    this.#save();
  }

  async #close(): Promise<void> {
    this.#isStopping = true;
    this.#abort.abort();
    this.wishes.end();
    this.#wait?.end();
    this.#deps.engine.remove(this.torrent);
    this.#deps.webSeeds.remove(this.torrent.key);
    await this.#store?.close();
    if (this.#isRecordOld) this.#save();
    await this.#resume.settled;
  }

  /** Checks what is on disk, and starts. */
  async #begin(info: InfoDict): Promise<void> {
    const { root } = this.#spec;
    const layout = new FileLayout(root, info.files, join(root, `.${this.torrent.key}.parts`));
    const placement = new Placement(layout, info.pieceLengthBytes);
    const target = { infoHash: this.torrent.key, layout, pieceCount: info.pieceCount };
    this.#info = info;
    this.#target = target;
    const known = await this.#recordedPieces(target, info);
    this.wishes.place(info, placement);
    const looks = new FileLooks(layout, () => this.torrent.isDownloading);
    // Before they are hashed: what changes while they are is noticed.
    await looks.look();
    const layers = new Map(this.#input.pieceLayers);
    const have = known ?? (await this.#findPieces({ info, layers, placement }));
    if (this.#spec.mustBeComplete && !have.isComplete) throw incomplete(layout, have);
    if (!have.isComplete) await this.wishes.prepare();
    if (this.#isStopping) return;
    this.#store = new TorrentStore(placement);
    this.#looks = looks;
    this.torrent.begin(contentOf(info, layers), have, this.#store);
    this.wishes.begin();
    if (!have.isComplete) this.#useWebSeeds(info);
    const { count: goodPieces, size: pieceCount } = have;
    this.#deps.tell({ kind: 'started', goodPieces, pieceCount });
    this.#isRecordOld = known === null || !have.isComplete;
    if (this.#isRecordOld) this.#save();
    if (!this.torrent.isDownloading) this.#deps.tell({ kind: 'complete' });
  }

  /** A web seed is a peer that can be asked once the files are known. */
  #useWebSeeds({ files, pieceLengthBytes }: InfoDict): void {
    const { torrent } = this;
    const { tell, webSeeds } = this.#deps;
    const onFailure = (url: string, reason: string): void =>
      tell({ kind: 'tracker', line: `web seed ${new URL(url).origin} ${reason}`, isFailure: true });
    const seeded = { key: torrent.key, files: { files, pieceLengthBytes }, onFailure };
    torrent.addPeers(webSeeds.add(seeded, this.#input.webSeeds), 'web');
  }

  /** Pieces that are right as the resume record says; null when there is none to believe. */
  async #recordedPieces(target: ResumeTarget, info: InfoDict): Promise<Bitfield | null> {
    const record = (await this.#keeper?.load()) ?? null;
    const have = record && (await piecesOf(record, target));
    const isBacked = have && (await isBackedByFiles(have, target.layout, info.pieceLengthBytes));
    return isBacked ? have : null;
  }

  /** Pieces that are right, found by hashing what is there. */
  async #findPieces(target: CheckTarget): Promise<Bitfield> {
    if (!(await hasAnyFile(target.placement.layout))) return new Bitfield(target.info.pieceCount);
    return this.#deps.checkTurn(() => this.#check(target));
  }

  #check({ info, layers, placement: layout }: CheckTarget): Promise<Bitfield> {
    const { pieceCount, pieceLengthBytes, pieceHashesV1: pieceHashes } = info;
    let toldAt = -Infinity;
    const options = {
      signal: this.#abort.signal,
      onProgress: (checked: number): void => {
        const now = performance.now();
        if (now - toldAt < 200) return;
        toldAt = now;
        this.#deps.tell({ kind: 'checking', checked, pieceCount });
      },
      onLayer: (root: string, layer: Uint8Array): void => {
        layers.set(root, layer);
      },
    };
    if (pieceHashes) return checkFiles({ layout, pieceLengthBytes, pieceHashes }, options);
    return checkTrees({ info, pieceLayers: layers, layout }, options);
  }

  /** A hybrid torrent, of which both names are known, answers to both. */
  #identify(names: Pick<TorrentInput, 'infoHashV1' | 'infoHashV2'>): void {
    const { infoHashV1: v1, infoHashV2: v2 } = names;
    if (v1 && v2) this.#deps.engine.identify(this.torrent, { v1, v2 });
  }

  /** A hybrid torrent has a swarm for each of its names. */
  #announceOther(): void {
    const { otherHash } = this.torrent;
    if (otherHash) this.announcing.alsoAs(otherHash).catch((failure) => this.#fail(failure));
  }

  #onMetadata(infoBytes: Uint8Array): void {
    try {
      const info = parseInfoDict(infoBytes, digests);
      if (!isNamedBy(info, this.torrent.infoHash)) return;
      this.#identify(info);
      if (info.isPrivate) this.announcing.leaveDht();
      this.#announceOther();
      this.#deps.tell({ kind: 'metadata', name: info.name, infoBytes: infoBytes.slice() });
      this.#begin(info).catch((failure) => this.#fail(failure));
    } catch (failure) {
      this.#fail(failure);
    }
  }

  /** A magnet's piece layers have come, too. */
  #onLayers(layers: ReadonlyMap<string, Uint8Array>): void {
    const { infoBytes } = this.torrent;
    if (infoBytes) this.#deps.tell({ kind: 'layers', infoBytes: infoBytes.slice(), layers });
  }

  #onPiece(piece: number): void {
    this.wishes.onPiece(piece);
    this.#looks?.expectWrites();
    const fileCount = this.#target?.layout.files.length ?? 0;
    const everyMs = RESUME_EVERY_MS + RESUME_EVERY_MS_PER_FILE * fileCount;
    if (this.#resume.ageMs > Math.min(everyMs, RESUME_EVERY_MS_MAX)) this.#save();
  }

  #onComplete(): void {
    // Who left files out has not completed the torrent (BEP 21).
    if (this.torrent.phase === 'seeding') this.announcing.completed();
    this.#save();
    this.#tellComplete().catch((failure) => this.#fail(failure));
  }

  async #tellComplete(): Promise<void> {
    const looks = this.#looks;
    // What was deleted while it was open is still written to, and nobody finds it afterwards.
    const trouble = await looks?.lookAtComplete((file) => this.wishes.isWanted(file));
    if (looks !== this.#looks || this.torrent.isStopped) return;
    if (trouble) {
      this.#fail(trouble);
      return;
    }
    // The record is part of being done: a restart must not hash everything again.
    await this.#resume.settled;
    this.#deps.tell({ kind: 'complete' });
  }

  #fail(failure: unknown): void {
    if (this.#isStopping || this.#wait) return;
    if (!(failure instanceof AppError)) throw failure;
    if (this.#looks && isPassing(failure)) {
      this.#waitFor(failure);
      return;
    }
    this.wishes.end(failure);
    this.torrent.stop(failure.message);
    this.#save();
    this.#deps.tell({ kind: 'failed', code: failure.code, line: failure.message });
  }

  /** Stops until the disk can be used again; then begins anew with what is there. */
  #waitFor(failure: AppError): void {
    const needsRoom = (this.torrent.remainingBytes ?? 0) > 0;
    const wait = new DiskWait((isForced) => this.#probe(needsRoom, isForced));
    this.#wait = wait;
    this.torrent.stop(failure.message);
    const tell = ({ code, message }: AppError): void =>
      this.#deps.tell({ kind: 'waiting', code, line: message });
    tell(failure);
    const goOn = async (): Promise<void> => {
      await this.#store?.close();
      await this.#saveStopped();
      if (!(await wait.isOver(failure, tell)) || !this.#info) return;
      this.#wait = null;
      await this.#begin(this.#info);
      this.torrent.book.rouse();
    };
    goOn().catch((again) => this.#fail(again));
  }

  /** What is wrong with the disk still. Files that are gone are not made anew unless forced. */
  async #probe(needsRoom: boolean, isForced: boolean): Promise<AppError | null> {
    const { root } = this.#spec;
    const room = Math.min(this.torrent.remainingBytes ?? 0, PROBE_BYTES);
    const trouble = await probeFolder(root, { writeBytes: needsRoom ? room : 0 });
    const layout = this.#target?.layout;
    const hadFiles = (this.torrent.work?.have.count ?? 0) > 0;
    if (trouble || isForced || !layout || !hadFiles || (await hasAnyFile(layout))) return trouble;
    return diskFailure({ code: 'ENOENT' }, join(root, this.#info?.name ?? ''));
  }

  /** Records what is here, unless the files are not what we left. */
  async #saveStopped(): Promise<void> {
    const have = this.torrent.work?.have;
    if (!have || !this.#target) return;
    const isAsLeft = (await this.#looks?.look()) === null;
    this.#resume.save(this.#target, isAsLeft ? have : new Bitfield(have.size), false);
    await this.#resume.settled;
  }

  #save(): void {
    const { work, isStopped, isDownloading } = this.torrent;
    if (!work || !this.#target || this.#wait) return;
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
