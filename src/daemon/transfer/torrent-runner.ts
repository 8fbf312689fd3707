/**
 * One torrent from its file or magnet to its end: metadata, what is on disk, pieces, trackers,
 * and the resume record. Runs in the transfer thread.
 */
import { join } from 'node:path';
import type { Engine, Torrent, TorrentContent } from '../../engine/index.ts';
import {
  checkFiles,
  dropResume,
  FileLayout,
  hasAnyFile,
  loadResume,
  nodeHasher,
  prepareFiles,
  type ResumeTarget,
  saveResume,
  sha256,
  TorrentStore,
} from '../../platform/disk/index.ts';
import type { TrackerAnnouncer } from '../../platform/tracker/index.ts';
import { AppError, Bitfield, toHex } from '../../units/index.ts';
import {
  type Digests,
  type InfoDict,
  isNamedBy,
  type Metainfo,
  parseInfoDict,
  parseMagnet,
  parseMetainfo,
} from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { TorrentNews, TorrentSpec } from './messages.ts';

/** Hash functions for the metainfo parser. */
const digests: Digests = { sha1: (view: Uint8Array) => nodeHasher.sha1(view), sha256 };

/** What a runner is given by the loop. */
export interface RunnerDeps {
  readonly engine: Engine;
  readonly resumeDir: string | null;
  /** Loads the tracker client only when a torrent has trackers. */
  readonly announcer: () => Promise<TrackerAnnouncer>;
  readonly tell: (news: TorrentNews) => void;
}

/** A resume record is refreshed after so much has been downloaded … */
const RESUME_EVERY_MS = 15_000;

/** What a torrent's source says before anything is connected. */
interface Source {
  readonly infoHash: Uint8Array;
  readonly info: InfoDict | null;
  readonly trackers: readonly (readonly string[])[];
  readonly peers: readonly { readonly host: string; readonly port: number }[];
}

/** A torrent at work. */
export class TorrentRunner {
  readonly torrent: Torrent;
  readonly #deps: RunnerDeps;
  readonly #spec: TorrentSpec;
  readonly #source: Source;
  readonly #abort = new AbortController();
  #store: TorrentStore | null = null;
  #resume: ResumeTarget | null = null;
  #announcer: TrackerAnnouncer | null = null;
  #savedAt = 0;
  #saving: Promise<void> = Promise.resolve();
  #isStopping = false;

  /** Reads the source; throws `WireError` or `DaemonError` for one that cannot be used. */
  constructor(spec: TorrentSpec, deps: RunnerDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#source = readSource(spec);
    if (deps.engine.torrents.has(toHex(this.#source.infoHash))) {
      throw new DaemonError('DAEMON_TORRENT_DUPLICATE', 'this torrent is already being worked on');
    }
    this.torrent = deps.engine.add(this.#source.infoHash, {
      onMetadata: (infoBytes) => this.#onMetadata(infoBytes),
      onPiece: () => this.#saveSometimes(),
      onComplete: () => this.#onComplete(),
      onFailed: (failure) => this.#fail(failure),
      onBan: (host) => deps.tell({ kind: 'ban', line: `${host} sent bad data and was banned` }),
    });
    this.torrent.addPeers([...spec.peers, ...this.#source.peers], 'user');
  }

  /** Goes to work. Failures are told, not thrown. */
  async start(): Promise<void> {
    try {
      if (this.#source.info) await this.#begin(this.#source.info);
      if (this.#spec.useTrackers && this.#source.trackers.length > 0) await this.#announce();
    } catch (failure) {
      this.#fail(failure);
    }
  }

  /** Says goodbye to the trackers, writes the resume record, closes the files. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#abort.abort();
    this.#deps.engine.remove(this.torrent);
    await Promise.all([this.#announcer?.stop(), this.#store?.close()]);
    this.#saveSoon();
    // One after another: a record begun earlier must not replace the last one.
    await this.#saving;
  }

  /** Checks what is on disk, and starts. */
  async #begin(info: InfoDict): Promise<void> {
    const content = contentOf(info);
    const layout = new FileLayout(this.#spec.root, info.files);
    const file = join(this.#deps.resumeDir ?? '', `${this.torrent.key}.json`);
    const target = { file, infoHash: this.torrent.key, layout, pieceCount: info.pieceCount };
    this.#resume = this.#deps.resumeDir === null ? null : target;
    const have = await this.#findPieces(content, target);
    if (this.#spec.mustBeComplete && !have.isComplete) throw incomplete(layout, have);
    if (!have.isComplete) await prepareFiles(layout);
    if (this.#isStopping) return;
    this.#store = new TorrentStore(layout, content.pieceLengthBytes);
    this.torrent.begin(content, have, this.#store);
    const { count: goodPieces, size: pieceCount } = have;
    this.#deps.tell({ kind: 'started', goodPieces, pieceCount });
    this.#saveSoon();
    if (have.isComplete) this.#deps.tell({ kind: 'complete' });
  }

  /** Pieces that are right: from the resume record, else by hashing what is there. */
  async #findPieces(content: TorrentContent, target: ResumeTarget): Promise<Bitfield> {
    const known = this.#resume ? await loadResume(target) : null;
    if (known) return known;
    if (!(await hasAnyFile(target.layout))) return new Bitfield(target.pieceCount);
    let toldAt = -Infinity;
    return checkFiles(
      { layout: target.layout, ...content },
      {
        signal: this.#abort.signal,
        onProgress: (checked) => {
          const now = performance.now();
          if (now - toldAt < 200) return;
          toldAt = now;
          this.#deps.tell({ kind: 'checking', checked, pieceCount: target.pieceCount });
        },
      },
    );
  }

  async #announce(): Promise<void> {
    this.#announcer = await this.#deps.announcer();
    if (this.#isStopping) return;
    this.#announcer.start({
      infoHash: this.torrent.infoHash,
      peerId: this.#deps.engine.localPeerId,
      port: this.#deps.engine.listenPort,
      tiers: this.#source.trackers,
      isPrivate: this.#source.info?.isPrivate ?? false,
      getStats: () => {
        const { received, sent, remainingBytes } = this.torrent;
        // A magnet without metadata does not know what is left; it is not a seed in any case.
        const leftBytes = remainingBytes ?? 1;
        return { downloadedBytes: received.total, uploadedBytes: sent.total, leftBytes };
      },
      onPeers: (peers) => this.torrent.addPeers(peers, 'tracker'),
      onStatus: (status) => {
        const isFailure = status.state === 'failing' || status.state === 'disabled';
        const line = status.message ?? `tracker ${status.tracker} is ${status.state}`;
        this.#deps.tell({ kind: 'tracker', line, isFailure });
      },
    });
  }

  #onMetadata(infoBytes: Uint8Array): void {
    try {
      const info = parseInfoDict(infoBytes, digests);
      if (!isNamedBy(info, this.torrent.infoHash)) return;
      this.#deps.tell({ kind: 'metadata', name: info.name, infoBytes: infoBytes.slice() });
      this.#begin(info).catch((failure) => this.#fail(failure));
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #onComplete(): void {
    this.#announcer?.completed();
    this.#saveSoon();
    // The record is part of being done: a restart must not hash everything again.
    this.#saving.then(() => this.#deps.tell({ kind: 'complete' }));
  }

  #fail(failure: unknown): void {
    if (this.#isStopping) return;
    if (!(failure instanceof AppError)) throw failure;
    this.torrent.stop(failure.message);
    this.#saveSoon();
    this.#deps.tell({ kind: 'failed', code: failure.code, line: failure.message });
  }

  #saveSometimes(): void {
    if (performance.now() - this.#savedAt > RESUME_EVERY_MS) this.#saveSoon();
  }

  #saveSoon(): void {
    this.#savedAt = performance.now();
    this.#saving = this.#saving.then(() => this.#save());
  }

  /** A record that cannot be written costs a re-check, nothing more. */
  async #save(): Promise<void> {
    const have = this.torrent.work?.have;
    if (!this.#resume || !have) return;
    const write = have.count === 0 ? dropResume(this.#resume) : saveResume(this.#resume, have);
    await write.catch(() => {});
  }
}

function readSource(spec: TorrentSpec): Source {
  if (spec.source.kind === 'magnet') {
    const magnet = parseMagnet(spec.source.text);
    if (!magnet.infoHashV1) throw unsupported();
    const trackers = magnet.trackers.map((tracker) => [tracker]);
    return { infoHash: magnet.infoHashV1, info: null, trackers, peers: magnet.peers };
  }
  const metainfo: Metainfo = parseMetainfo(spec.source.bytes, digests);
  if (!metainfo.infoHashV1) throw unsupported();
  const { trackers } = metainfo;
  return { infoHash: metainfo.infoHashV1, info: metainfo, trackers, peers: [] };
}

function contentOf(info: InfoDict): TorrentContent {
  if (!info.pieceHashesV1) throw unsupported();
  const { name, pieceLengthBytes, totalBytes, infoBytes } = info;
  return { name, pieceLengthBytes, totalBytes, pieceHashes: info.pieceHashesV1, infoBytes };
}

function unsupported(): DaemonError {
  return new DaemonError(
    'DAEMON_TORRENT_UNSUPPORTED',
    'this torrent has only v2 hashes: use a v1 or hybrid torrent',
  );
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
