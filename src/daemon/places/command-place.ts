/**
 * Where the torrent of a command is, and how that changes: for commands, which have no session.
 * The resume record remembers it.
 */
import { join } from 'node:path';
import { hasAnyFile, loadResume, saveResume } from '../../platform/disk/index.ts';
import { assert, toHex } from '../../units/index.ts';
import { type FileName, type InfoDict, parseInfoDict } from '../../wire/index.ts';
import type { TorrentSource } from '../torrent-source.ts';
import type { TransferCalls } from '../transfer/messages.ts';
import { digests, readInput } from '../transfer/torrent-input.ts';
import { isSamePlace, type Place, targetAt } from './place.ts';
import { finishRelocation, relocate } from './relocation.ts';

/** What a command wants. */
export interface PlacePlan {
  readonly source: TorrentSource;
  /** Absolute path of the folder it works in. */
  readonly root: string;
  /** Folder to move to once it is complete; null stays. */
  readonly moveTo: string | null;
  /** Null: as they were named last. */
  readonly names: readonly FileName[] | null;
  /** Folder of resume records. */
  readonly resumeDir: string;
}

/** The place of one torrent. */
export class CommandPlace {
  readonly #plan: PlacePlan;
  readonly #key: string;
  readonly #resumeFile: string;
  #info: InfoDict | null;
  #place: Place;

  private constructor(plan: PlacePlan) {
    const { infoHash, info } = readInput(plan.source);
    this.#plan = plan;
    this.#key = toHex(infoHash);
    this.#info = info;
    this.#resumeFile = join(plan.resumeDir, `${this.#key}.json`);
    this.#place = { root: plan.root, names: plan.names ?? [] };
  }

  /**
   * Finds out where the torrent is, gives its files the names that are asked for, and finishes what
   * a kill has interrupted. Throws `PlatformError`, DAEMON_FILE_NAME.
   */
  static async prepare(plan: PlacePlan): Promise<CommandPlace> {
    const place = new CommandPlace(plan);
    await place.#settle();
    return place;
  }

  /** The folder. */
  get root(): string {
    return this.#place.root;
  }

  /** Names in place of the torrent's own. */
  get names(): readonly FileName[] {
    return this.#place.names;
  }

  /** Whether it is to go elsewhere once it is complete. */
  get isLeaving(): boolean {
    const { moveTo } = this.#plan;
    return moveTo !== null && moveTo !== this.root;
  }

  /** Moves the complete torrent, which goes on at its new place. `infoBytes` are a magnet's. */
  async move(
    transfer: Pick<TransferCalls, 'rest' | 'goOn'>,
    infoBytes: Uint8Array | null,
  ): Promise<void> {
    if (infoBytes) this.#info ??= parseInfoDict(infoBytes, digests);
    const { moveTo } = this.#plan;
    assert(moveTo !== null && this.#info, 'what is complete is known');
    await transfer.rest(this.#key);
    try {
      await this.#goTo({ ...this.#place, root: moveTo }, this.#info);
    } finally {
      await transfer.goOn(this.#key, { root: this.root });
    }
  }

  async #settle(): Promise<void> {
    const { root, moveTo, names } = this.#plan;
    const record = await loadResume(this.#resumeFile);
    const recorded = record?.root === moveTo && moveTo !== null ? moveTo : root;
    const before = { root: recorded, names: (record?.root === recorded && record.names) || [] };
    const wanted = { root: recorded, names: names ?? before.names };
    const info = this.#info;
    this.#place = before;
    if (!info) {
      this.#place = wanted;
      return;
    }
    const isHere = await hasAnyFile(targetAt(this.#key, info, before).layout);
    if (!isSamePlace(before, wanted) && isHere) await this.#goTo(wanted, info);
    this.#place = wanted;
    for (const from of [
      { ...wanted, root },
      { names: [], root },
    ]) {
      await finishRelocation({ key: this.#key, info, from, to: wanted });
    }
  }

  async #goTo(to: Place, info: InfoDict): Promise<void> {
    const relocation = { key: this.#key, info, from: this.#place, to };
    const resume = await relocate(relocation, {
      resume: await loadResume(this.#resumeFile),
      commit: async (record) => {
        await saveResume(this.#resumeFile, record, { isDurable: true });
        this.#place = to;
      },
    });
    await saveResume(this.#resumeFile, resume);
  }
}
