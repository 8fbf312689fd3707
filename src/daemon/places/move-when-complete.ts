/** A download that is moved to another folder once it is complete: for commands, not sessions. */
import { join } from 'node:path';
import { loadResume, saveResume } from '../../platform/disk/index.ts';
import { assert, toHex } from '../../units/index.ts';
import { type InfoDict, parseInfoDict } from '../../wire/index.ts';
import type { TorrentSource } from '../torrent-source.ts';
import type { TransferCalls } from '../transfer/messages.ts';
import { digests, readInput } from '../transfer/torrent-input.ts';
import { finishRelocation, relocate } from './relocation.ts';

/** What is moved, from where to where, as absolute paths. */
export interface MovePlan {
  readonly source: TorrentSource;
  readonly from: string;
  readonly to: string;
  /** Folder of resume records: they say where a torrent is. */
  readonly resumeDir: string;
}

/** The move of one torrent. */
export class MoveWhenComplete {
  readonly #plan: MovePlan;
  readonly #key: string;
  readonly #resumeFile: string;
  #info: InfoDict | null;
  #root: string;

  private constructor(plan: MovePlan) {
    const { infoHash, info } = readInput(plan.source);
    this.#plan = plan;
    this.#key = toHex(infoHash);
    this.#info = info;
    this.#resumeFile = join(plan.resumeDir, `${this.#key}.json`);
    this.#root = plan.from;
  }

  /** Finds out whether it has been moved already, and finishes what was interrupted. */
  static async prepare(plan: MovePlan): Promise<MoveWhenComplete> {
    const move = new MoveWhenComplete(plan);
    const record = await loadResume(move.#resumeFile);
    if (record?.root === plan.to) {
      move.#root = plan.to;
      await move.#finish();
    }
    return move;
  }

  /** Where the torrent is. */
  get root(): string {
    return this.#root;
  }

  /** Moves the complete torrent, which goes on at its new place. `infoBytes` are a magnet's. */
  async move(
    transfer: Pick<TransferCalls, 'rest' | 'goOn'>,
    infoBytes: Uint8Array | null,
  ): Promise<void> {
    if (infoBytes) this.#info ??= parseInfoDict(infoBytes, digests);
    const { from, to } = this.#plan;
    if (this.#root === to) return this.#finish();
    assert(this.#info, 'what is complete is known');
    await transfer.rest(this.#key);
    try {
      const relocation = { key: this.#key, info: this.#info, from, to };
      const resume = await relocate(relocation, {
        resume: await loadResume(this.#resumeFile),
        commit: async (record) => {
          await saveResume(this.#resumeFile, record, { isDurable: true });
          this.#root = to;
        },
      });
      await saveResume(this.#resumeFile, resume);
    } finally {
      await transfer.goOn(this.#key, { root: this.#root });
    }
  }

  async #finish(): Promise<void> {
    const { from, to } = this.#plan;
    if (this.#info) await finishRelocation({ key: this.#key, info: this.#info, from, to });
  }
}
