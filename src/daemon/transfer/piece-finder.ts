/** Which pieces of a torrent are on disk and right: by its resume record, else by hashing. */
import {
  checkFiles,
  hasAnyFile,
  isBackedByFiles,
  type Placement,
  piecesOf,
  type ResumeTarget,
} from '../../platform/disk/index.ts';
import { Bitfield } from '../../units/index.ts';
import type { InfoDict } from '../../wire/index.ts';
import { checkTrees } from '../torrents/check-trees.ts';
import type { TorrentNews } from './messages.ts';
import type { ResumeKeeper } from './resume-keeper.ts';

/** Does `work` when it is its turn: hashing files one torrent after another. */
export type CheckTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** What is hashed to see what is right. */
export interface CheckTarget {
  readonly info: InfoDict;
  /** By root in hex; those that turn out to be right are added. */
  readonly layers: Map<string, Uint8Array>;
  readonly placement: Placement;
}

/** Between two news of how far a check is. */
const TELL_EVERY_MS = 200;

/** Looks for the pieces of one torrent. */
export class PieceFinder {
  readonly #checkTurn: CheckTurn;
  readonly #tell: (news: TorrentNews) => void;

  constructor(deps: {
    readonly checkTurn: CheckTurn;
    readonly tell: (news: TorrentNews) => void;
  }) {
    this.#checkTurn = deps.checkTurn;
    this.#tell = deps.tell;
  }

  /** Pieces that are right as the resume record says; null when there is none to believe. */
  async recorded(
    keeper: ResumeKeeper | null,
    target: ResumeTarget,
    { pieceLengthBytes }: InfoDict,
  ): Promise<Bitfield | null> {
    const record = (await keeper?.load()) ?? null;
    const have = record && (await piecesOf(record, target));
    const isBacked = have && (await isBackedByFiles(have, target.layout, pieceLengthBytes));
    return isBacked ? have : null;
  }

  /** Pieces that are right, found by hashing what is there. */
  async hashed(target: CheckTarget, signal: AbortSignal): Promise<Bitfield> {
    if (!(await hasAnyFile(target.placement.layout))) return new Bitfield(target.info.pieceCount);
    return this.#checkTurn(() => this.#check(target, signal));
  }

  #check({ info, layers, placement: layout }: CheckTarget, signal: AbortSignal): Promise<Bitfield> {
    const { pieceCount, pieceLengthBytes, pieceHashesV1: pieceHashes } = info;
    let toldAt = -Infinity;
    const options = {
      signal,
      onProgress: (checked: number): void => {
        const now = performance.now();
        if (now - toldAt < TELL_EVERY_MS) return;
        toldAt = now;
        this.#tell({ kind: 'checking', checked, pieceCount });
      },
      onLayer: (root: string, layer: Uint8Array): void => {
        layers.set(root, layer);
      },
    };
    if (pieceHashes) return checkFiles({ layout, pieceLengthBytes, pieceHashes }, options);
    return checkTrees({ info, pieceLayers: layers, layout }, options);
  }
}
