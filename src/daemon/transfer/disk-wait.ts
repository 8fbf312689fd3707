/** Waits until a disk that refused can be used again: asks by itself, or when it is told to. */
import { join } from 'node:path';
import {
  diskFailure,
  type FileLayout,
  hasAnyFile,
  probeFolder,
} from '../../platform/disk/index.ts';
import type { AppError } from '../../units/index.ts';

/** The first question comes so soon, each later one after twice the time, but not more. */
const FIRST_MS = 2_000;
const EVERY_MS_MAX = 20_000;

/** One wait. */
export class DiskWait {
  readonly #probe: (isForced: boolean) => Promise<AppError | null>;
  #wake: (isForced: boolean) => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #isEnded = false;

  /** `probe` tells what is still wrong; it is forced when somebody asked for it. */
  constructor(probe: (isForced: boolean) => Promise<AppError | null>) {
    this.#probe = probe;
  }

  /** True when all is well, false when the wait was ended. `tell` hears of other troubles. */
  async isOver(first: AppError, tell: (trouble: AppError) => void): Promise<boolean> {
    let told = first.message;
    // A changed file needs no waiting: it is there.
    let delayMs = first.code === 'PLATFORM_FILE_CHANGED' ? 0 : FIRST_MS;
    while (!this.#isEnded) {
      const isForced = await this.#sleep(delayMs);
      if (this.#isEnded) break;
      const trouble = await this.#probe(isForced);
      if (!trouble) return !this.#isEnded;
      if (trouble.message !== told) tell(trouble);
      told = trouble.message;
      delayMs = Math.min(EVERY_MS_MAX, Math.max(FIRST_MS, delayMs * 2));
    }
    return false;
  }

  /** Asks now. */
  retry(): void {
    this.#wake(true);
  }

  /** Gives up waiting. */
  end(): void {
    this.#isEnded = true;
    this.#wake(false);
  }

  #sleep(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.#wake = (isForced): void => {
        if (this.#timer) clearTimeout(this.#timer);
        resolve(isForced);
      };
      this.#timer = setTimeout(() => resolve(false), ms);
    });
  }
}

/** A disk that was full is believed to have room when so much more can be written. */
const PROBE_BYTES_MAX = 4 * 1024 * 1024;

/** A torrent whose disk is tried. */
export interface ProbedTorrent {
  readonly root: string;
  readonly name: string;
  /** What is still to be written; 0 when nothing is. */
  readonly writeBytes: number;
  /** One of its files must be there; null when none need be. */
  readonly layout: FileLayout | null;
}

/** What is wrong with the disk still; files that are gone are not to be made anew. */
export async function probeDisk(torrent: ProbedTorrent): Promise<AppError | null> {
  const { root, name, layout } = torrent;
  const writeBytes = Math.min(torrent.writeBytes, PROBE_BYTES_MAX);
  const trouble = await probeFolder(root, { writeBytes });
  if (trouble || !layout || (await hasAnyFile(layout))) return trouble;
  return diskFailure({ code: 'ENOENT' }, join(root, name));
}
