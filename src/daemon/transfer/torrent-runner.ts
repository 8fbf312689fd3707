/**
 * One torrent from its file or magnet to its end: its names, its metadata, its swarm, its wishes
 * and its files. Runs in the transfer thread.
 */
import type { Engine, Torrent } from '../../engine/index.ts';
import type { WebSeeds } from '../../platform/webseed/index.ts';
import { toHex } from '../../units/index.ts';
import { type InfoDict, isNamedBy, parseInfoDict } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { Announced, Announcing } from './announcing.ts';
import type { TorrentSpec } from './messages.ts';
import { type FilesDeps, TorrentFiles } from './torrent-files.ts';
import { digests, readInput, type TorrentInput } from './torrent-input.ts';
import { TorrentWishes } from './torrent-wishes.ts';

/** What a runner is given by the loop. */
export interface RunnerDeps extends FilesDeps {
  readonly engine: Engine;
  readonly webSeeds: WebSeeds;
  /** Those of a torrent that was asleep go on. */
  readonly announcingFor: (announced: Announced) => Announcing;
}

/** A torrent at work. */
export class TorrentRunner {
  readonly torrent: Torrent;
  readonly announcing: Announcing;
  readonly wishes: TorrentWishes;
  readonly files: TorrentFiles;
  readonly #deps: RunnerDeps;
  readonly #spec: TorrentSpec;
  readonly #input: TorrentInput;
  #busyAt = -Infinity;

  /** Reads the source; throws `WireError` or `DaemonError` for one that cannot be used. */
  constructor(spec: TorrentSpec, deps: RunnerDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#input = readInput(spec.source);
    const { infoHash, infoHashV2, info, trackers, peers, pieceLayers } = this.#input;
    const { engine, tell } = deps;
    if (engine.torrents.has(toHex(infoHash))) {
      throw new DaemonError('DAEMON_TORRENT_DUPLICATE', 'this torrent is already being worked on');
    }
    const events = {
      onMetadata: (infoBytes: Uint8Array) => this.#onMetadata(infoBytes),
      onLayers: (layers: ReadonlyMap<string, Uint8Array>) => this.#onLayers(layers),
      onPiece: (piece: number) => this.#onPiece(piece),
      onComplete: () => this.#onComplete(),
      onFailed: (failure: Error) => this.files.fail(failure),
      onBan: (host: string) => tell({ kind: 'ban', line: `${host} sent bad data and was banned` }),
    };
    const torrent = engine.add(infoHash, events, infoHashV2);
    this.torrent = torrent;
    this.#identify(this.#input);
    const wishes = new TorrentWishes(torrent, spec, this.#input.selectOnly);
    this.wishes = wishes;
    const onBegun = (begun: InfoDict): void => this.#useWebSeeds(begun);
    this.files = new TorrentFiles({ torrent, wishes, spec, pieceLayers, onBegun }, deps);
    torrent.addPeers(spec.peers, 'user');
    torrent.addPeers(peers, 'magnet');
    const isPrivate = info?.isPrivate ?? false;
    if (isPrivate) torrent.keepPrivate();
    const used = spec.trackers ?? (spec.useTrackers ? trackers : []);
    this.announcing = deps.announcingFor({ infoHash, trackers: used, isPrivate });
    this.announcing.attach(torrent);
    this.#announceOther();
  }

  /** Goes to work. Failures are told, not thrown. */
  async start(): Promise<void> {
    try {
      if (this.#spec.mustRecheck) await this.files.forgetRecord();
      if (this.#input.info) await this.files.begin(this.#input.info);
      await this.announcing.start();
    } catch (failure) {
      this.files.fail(failure);
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

  async #close(): Promise<void> {
    this.files.end();
    this.wishes.end();
    this.#deps.engine.remove(this.torrent);
    this.#deps.webSeeds.remove(this.torrent.key);
    await this.files.close();
  }

  /** A web seed is a peer that can be asked once the files are known. */
  #useWebSeeds({ files, pieceLengthBytes }: InfoDict): void {
    const { torrent } = this;
    if (torrent.missingBytes === 0) return;
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
    if (otherHash) this.announcing.alsoAs(otherHash).catch((failure) => this.files.fail(failure));
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
      this.files.begin(info).catch((failure) => this.files.fail(failure));
    } catch (failure) {
      this.files.fail(failure);
    }
  }

  /** A magnet's piece layers have come, too. */
  #onLayers(layers: ReadonlyMap<string, Uint8Array>): void {
    const { infoBytes } = this.torrent;
    if (infoBytes) this.#deps.tell({ kind: 'layers', infoBytes: infoBytes.slice(), layers });
  }

  #onPiece(piece: number): void {
    this.wishes.onPiece(piece);
    this.files.onPiece();
  }

  #onComplete(): void {
    // Who left files out has not completed the torrent (BEP 21).
    if (this.torrent.phase === 'seeding') this.announcing.completed();
    this.files.onComplete();
  }
}
