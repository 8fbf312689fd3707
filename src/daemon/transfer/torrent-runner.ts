/**
 * One torrent from its file or magnet to its end: metadata, what is on disk, pieces, trackers,
 * and the resume record. Runs in the transfer thread.
 */
import type { Engine, Torrent } from '../../engine/index.ts';
import {
  type Allocation,
  isPassing,
  Placement,
  type ResumeTarget,
  TorrentStore,
} from '../../platform/disk/index.ts';
import type { WebSeeds } from '../../platform/webseed/index.ts';
import { AppError, Bitfield, toHex } from '../../units/index.ts';
import { type InfoDict, isNamedBy, parseInfoDict } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { type Place, targetAt } from '../places/place.ts';
import type { Announced, Announcing } from './announcing.ts';
import { DiskWait, probeDisk } from './disk-wait.ts';
import type { FileClaims } from './file-claims.ts';
import { FileLooks } from './file-looks.ts';
import { type FoundTorrent, incomplete, makeReady, usesOf } from './make-ready.ts';
import type { RestartTerms, TorrentNews, TorrentSpec } from './messages.ts';
import { type CheckTurn, PieceFinder } from './piece-finder.ts';
import { keeperFor, type ResumeKeeper, ResumeWriter } from './resume-keeper.ts';
import { contentOf } from './torrent-content.ts';
import { digests, readInput, type TorrentInput } from './torrent-input.ts';
import { TorrentWishes } from './torrent-wishes.ts';

/** What a runner is given by the loop. */
export interface RunnerDeps {
  readonly engine: Engine;
  readonly resumeDir: string | null;
  readonly tell: (news: TorrentNews) => void;
  readonly checkTurn: CheckTurn;
  readonly claims: FileClaims;
  readonly allocation: Allocation;
  readonly webSeeds: WebSeeds;
  /** Those of a torrent that was asleep go on. */
  readonly announcingFor: (announced: Announced) => Announcing;
}

/** A torrent at work. */
export class TorrentRunner {
  readonly torrent: Torrent;
  readonly announcing: Announcing;
  readonly wishes: TorrentWishes;
  readonly #deps: RunnerDeps;
  readonly #spec: TorrentSpec;
  readonly #input: TorrentInput;
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
  #busyAt = -Infinity;
  /** Whether the last record is of less than what is here now, or of a torrent being written. */
  #isRecordOld = true;
  #isStopping = false;
  /** The files are left alone until `goOn`. */
  #isResting = false;

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
    this.#finder = new PieceFinder(deps);
    this.#place = { root: spec.root, names: spec.names ?? [] };
    this.#mustBeComplete = spec.mustBeComplete;
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
    this.torrent.addPeers(spec.peers, 'user');
    this.torrent.addPeers(peers, 'magnet');
    const isPrivate = info?.isPrivate ?? false;
    if (isPrivate) this.torrent.keepPrivate();
    const used = spec.trackers ?? (spec.useTrackers ? trackers : []);
    this.announcing = deps.announcingFor({ infoHash, trackers: used, isPrivate });
    this.announcing.attach(this.torrent);
    this.#announceOther();
  }

  /** Goes to work. Failures are told, not thrown. */
  async start(): Promise<void> {
    try {
      if (this.#spec.mustRecheck) await this.#keeper?.save(null);
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

  /**
   * Lets go of the files: peers leave, what is here is recorded. Trackers and known peers stay.
   * Waits until nothing is written any more.
   */
  async rest(): Promise<void> {
    this.#isResting = true;
    this.#abort.abort();
    this.#wait?.end();
    this.#wait = null;
    if (!this.#info) return;
    this.torrent.stop('its files are at rest');
    await this.#beginning.catch(() => {});
    await this.#store?.close();
    await this.#saveStopped();
    this.#deps.claims.release(this.torrent.key);
  }

  /** Takes the files up again after a rest, where they are now. Failures are told, not thrown. */
  async goOn(terms: RestartTerms): Promise<void> {
    this.#place = { root: terms.root, names: terms.names ?? this.#place.names };
    this.#mustBeComplete &&= terms.mayDownload !== true;
    if (terms.resume !== undefined) await this.#keeper?.save(terms.resume);
    this.#abort = new AbortController();
    this.#isResting = false;
    if (!this.#info || this.#isStopping) return;
    this.#begin(this.#info).then(
      () => this.torrent.book.rouse(),
      (failure) => this.#fail(failure),
    );
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
    this.#deps.claims.release(this.torrent.key);
    if (this.#isRecordOld) this.#save();
    await this.#resume.settled;
  }

  /** Checks what is on disk, and starts; unless it rests, or is made to meanwhile. */
  #begin(info: InfoDict): Promise<void> {
    this.#info = info;
    if (this.#isResting) return Promise.resolve();
    this.#beginning = this.#takeUp(info).catch((failure) => {
      if (!this.#isResting && !this.#isStopping) throw failure;
    });
    return this.#beginning;
  }

  async #takeUp(info: InfoDict): Promise<void> {
    const target = targetAt(this.torrent.key, info, this.#place);
    const { layout } = target;
    const placement = new Placement(layout, info.pieceLengthBytes);
    this.#target = target;
    const known = await this.#finder.recorded(this.#keeper, target, info);
    this.wishes.place(info, placement);
    const looks = new FileLooks(layout, () => this.torrent.isDownloading);
    // Before they are hashed: what changes while they are is noticed.
    await looks.look();
    const layers = new Map(this.#input.pieceLayers);
    const have =
      known ?? (await this.#finder.hashed({ info, layers, placement }, this.#abort.signal));
    const found = { info, layout, have };
    if (this.#mustBeComplete && !have.isComplete) throw await incomplete(found);
    this.#deps.claims.take({ key: this.torrent.key, name: info.name }, usesOf(found));
    if (!have.isComplete || this.wishes.mustFit) await this.#makeReady(found, looks);
    if (this.#isStopping || this.#isResting) return;
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

  /** Makes files that may be written, and are ours alone. */
  async #makeReady(found: FoundTorrent, looks: FileLooks): Promise<void> {
    await this.wishes.prepare();
    const { allocation, tell } = this.#deps;
    await makeReady(found, {
      allocation,
      isWanted: (file) => this.wishes.isWanted(file),
      mustFit: this.wishes.mustFit,
      onProgress: (doneBytes, allBytes) => tell({ kind: 'allocating', doneBytes, allBytes }),
      onReplaced: (path) => looks.expectAnother(path),
      signal: this.#abort.signal,
    });
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
    // Peers may tell what the torrent file said before its files have been checked.
    if (this.#input.info) return;
    try {
      const info = parseInfoDict(infoBytes, digests);
      if (!isNamedBy(info, this.torrent.infoHash)) return;
      this.#identify(info);
      if (info.isPrivate) {
        this.torrent.keepPrivate();
        this.announcing.becomePrivate();
      }
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
    if (this.#resume.isDue(this.#target?.layout.files.length ?? 0)) this.#save();
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
    if (this.torrent.phase === 'seeding') this.#deps.claims.settle(this.torrent.key);
    this.#deps.tell({ kind: 'complete' });
  }

  #fail(failure: unknown): void {
    if (this.#isStopping || this.#isResting || this.#wait) return;
    if (!(failure instanceof AppError)) throw failure;
    if (this.#looks && isPassing(failure)) {
      this.#waitFor(failure);
      return;
    }
    this.wishes.end(failure);
    this.#deps.claims.release(this.torrent.key);
    this.torrent.stop(failure.message);
    this.#save();
    this.#deps.tell({ kind: 'failed', code: failure.code, line: failure.message });
  }

  /** Stops until the disk can be used again; then begins anew with what is there. */
  #waitFor(failure: AppError): void {
    const needsRoom = (this.torrent.remainingBytes ?? 0) > 0;
    const wait = new DiskWait((isForced) => this.#probe(needsRoom, isForced));
    this.#wait = wait;
    this.torrent.stop(failure.message, true);
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

  /** What is wrong with the disk still. */
  async #probe(needsRoom: boolean, isForced: boolean): Promise<AppError | null> {
    const { remainingBytes, work } = this.torrent;
    const writeBytes = needsRoom ? (remainingBytes ?? 0) : 0;
    const hadFiles = (work?.have.count ?? 0) > 0;
    const layout = !isForced && hadFiles ? (this.#target?.layout ?? null) : null;
    return probeDisk({ root: this.#place.root, name: this.#info?.name ?? '', writeBytes, layout });
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
    if (!work || !this.#target || this.#wait || this.#isResting) return;
    const isWriting = isDownloading && !isStopped;
    this.#isRecordOld = isWriting;
    this.#resume.save(this.#target, work.have, isWriting);
  }
}
