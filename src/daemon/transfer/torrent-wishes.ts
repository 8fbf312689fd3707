/** What is wanted of one torrent, and how soon: files, order, pieces somebody waits for. */
import { LEVEL_MAX, LEVEL_NORMAL, type Torrent } from '../../engine/index.ts';
import { type Placement, prepareFiles } from '../../platform/disk/index.ts';
import type { FileRange, InfoDict } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { type FilePriorities, FileSelection } from './file-selection.ts';
import type { TorrentSpec } from './messages.ts';
import { type PieceRange, PieceWaits } from './piece-waits.ts';

/** Tells the engine which pieces to fetch and the disk which files to keep. */
export class TorrentWishes {
  /** What is behind the end of a file is of an older version: it goes. */
  readonly mustFit: boolean;
  readonly #torrent: Torrent;
  readonly #waits = new PieceWaits();
  /** Null: as the magnet link says, or all. */
  #priorities: FilePriorities | null;
  readonly #selectOnly: readonly FileRange[];
  #info: InfoDict | null = null;
  #placement: Placement | null = null;
  #selection: FileSelection | null = null;
  /** By files alone; null until these are known. */
  #levels: Uint8Array | null = null;
  /** Pieces fetched although their files are not wanted: somebody waits for them. */
  #lifted: readonly number[] = [];

  /** `selectOnly` is what a magnet link says; the spec stands above it. */
  constructor(torrent: Torrent, spec: TorrentSpec, selectOnly: readonly FileRange[]) {
    this.#torrent = torrent;
    this.#selectOnly = selectOnly;
    this.mustFit = spec.mustFit ?? false;
    torrent.isSequential = spec.isSequential ?? false;
    torrent.revealing.isWanted = spec.isSuperSeed ?? false;
    const { filePriorities: files, otherFilesPriority: others } = spec;
    const isSilent = files === undefined && others === undefined;
    this.#priorities = isSilent ? null : { files: files ?? [], others: others ?? LEVEL_NORMAL };
  }

  /**
   * The files are known, and what a resume record says of them: from here on it is decided where
   * each byte goes. Throws `DaemonError` DAEMON_FILE_UNKNOWN, or `PlatformError`.
   */
  place(info: InfoDict, placement: Placement): void {
    this.#info = info;
    this.#placement = placement;
    this.#select(this.#priorities ?? selectedBy(this.#selectOnly, info));
  }

  /** Makes what must exist before the first piece. Throws `PlatformError`. */
  async prepare(): Promise<void> {
    const selection = this.#selection;
    if (!this.#placement || !selection) return;
    await prepareFiles(this.#placement.layout, (nth) => selection.isWanted(nth));
  }

  /** Whether a file is wanted, counted without padding. */
  isWanted(file: number): boolean {
    return this.#selection?.isWanted(file) ?? true;
  }

  /** The torrent has begun: those who wait are served. */
  begin(): void {
    const have = this.#torrent.work?.have;
    if (have) this.#waits.begin(have);
    this.#hurry();
  }

  /** Replaces the priorities; before the files are known, for later. Throws as `place` does. */
  async prioritise(files: readonly number[]): Promise<void> {
    const priorities = { files, others: LEVEL_NORMAL };
    if (this.#info) {
      this.#select(priorities);
      await this.prepare();
    }
    this.#priorities = priorities;
  }

  /** Begins pieces by index from now on, or by rarity. */
  setSequential(isSequential: boolean): void {
    this.#torrent.isSequential = isSequential;
  }

  /**
   * Resolves when the pieces are verified and on disk; they are due from now to `withinMs`, one
   * after the other. Rejects with DAEMON_PIECES_GIVEN_UP when they are forgotten.
   */
  whenHere(range: PieceRange, withinMs: number): Promise<void> {
    const here = this.#waits.add(range, performance.now(), withinMs);
    this.#hurry();
    return here;
  }

  /** The pieces are not urgent any more; whoever waits for exactly this range is told so. */
  forget(range: PieceRange): void {
    this.#waits.forget(range, givenUp('nobody needs these pieces any more'));
    this.#hurry();
  }

  /** A piece is verified and on disk. */
  onPiece(piece: number): void {
    this.#waits.onPiece(piece);
  }

  /** The torrent has stopped, for `failure` or because it was told to. */
  end(failure: Error = givenUp('the torrent was stopped')): void {
    this.#waits.end(failure);
  }

  #select(priorities: FilePriorities): void {
    if (!this.#info || !this.#placement) return;
    const selection = new FileSelection(this.#info, priorities);
    this.#placement.select((nth) => selection.isWanted(nth));
    this.#selection = selection;
    this.#levels = selection.levels();
    this.#apply(this.#levels);
  }

  /** Sets levels; pieces of unwanted files that somebody waits for come all the same. */
  #apply(ofFiles: Uint8Array): void {
    const levels = ofFiles.slice();
    for (const piece of this.#lifted) levels[piece] = levels[piece] || LEVEL_MAX;
    this.#torrent.prioritise(levels);
  }

  #hurry(): void {
    const levels = this.#levels;
    if (!levels || !this.#torrent.work) return;
    const deadlines = this.#waits.deadlines();
    const lifted = deadlines.map(({ piece }) => piece).filter((piece) => levels[piece] === 0);
    if (lifted.join() !== this.#lifted.join()) {
      this.#lifted = lifted;
      this.#apply(levels);
    }
    this.#torrent.setDeadlines(deadlines);
  }
}

/** What a magnet link selects; all, when it names none of the files (BEP 53). */
export function selectedBy(ranges: readonly FileRange[], { files }: InfoDict): FilePriorities {
  const levels = files.flatMap(({ isPad }, nth) => {
    const isNamed = ranges.some(({ first, last }) => nth >= first && nth <= last);
    return isPad ? [] : [isNamed ? LEVEL_NORMAL : 0];
  });
  const isAny = levels.some((level) => level > 0);
  return { files: isAny ? levels : [], others: LEVEL_NORMAL };
}

function givenUp(line: string): DaemonError {
  return new DaemonError('DAEMON_PIECES_GIVEN_UP', line);
}
