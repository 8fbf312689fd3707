/** Looks at a torrent's files now and then: whether they are as the torrent left them. */
import { FileGuard, type FileLayout } from '../../platform/disk/index.ts';
import type { AppError } from '../../units/index.ts';
import { inTurn } from './in-turn.ts';

/** Between two looks: more for each file, all of which are looked at. */
const EVERY_MS = 3_000;
const EVERY_MS_PER_FILE = 5;
const EVERY_MS_MAX = 30_000;

/** The looks of one torrent. */
export class FileLooks {
  readonly #guard: FileGuard;
  readonly #isWriting: () => boolean;
  readonly #everyMs: number;
  readonly #turn = inTurn();
  /** Something was written that no look has seen. */
  #mayGrow = true;
  #nextAt = 0;

  constructor(layout: FileLayout, isWriting: () => boolean) {
    this.#guard = new FileGuard(layout);
    this.#isWriting = isWriting;
    const everyMs = EVERY_MS + EVERY_MS_PER_FILE * layout.files.length;
    this.#everyMs = Math.min(everyMs, EVERY_MS_MAX);
  }

  /** What is wrong; null when nothing is. */
  look(): Promise<AppError | null> {
    return this.#turn(() => this.#look());
  }

  /** As `look`, when the last one was long ago; otherwise null. */
  async lookIfDue(nowMs: number): Promise<AppError | null> {
    if (nowMs < this.#nextAt) return null;
    this.#nextAt = nowMs + this.#everyMs;
    return this.look();
  }

  /** Whether something is wrong with files that should be complete. */
  lookAtComplete(isWanted: (file: number) => boolean): Promise<AppError | null> {
    return this.#turn(
      async () => (await this.#look()) ?? (await this.#guard.findUnfinished(isWanted)),
    );
  }

  /** We write to files although all pieces are here: the next look is not surprised. */
  expectWrites(): void {
    this.#mayGrow = true;
  }

  /** We have put another file in the place of this one. */
  expectAnother(path: string): void {
    this.#guard.forget(path);
  }

  async #look(): Promise<AppError | null> {
    const isWriting = this.#isWriting();
    const mayGrow = isWriting || this.#mayGrow;
    this.#mayGrow = isWriting;
    return this.#guard.look(mayGrow);
  }
}
