/** Ends the seeding of a command when what was asked of it is done. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TorrentNode } from '../../daemon/node/index.ts';
import {
  endOfSeeding,
  isAnyLimit,
  type SeedingEnd,
  type SeedingLimits,
} from '../../daemon/policy/index.ts';
import type { Context } from '../context.ts';

/** As commander collects them; times in seconds. */
export interface SeedingOptions {
  readonly ratio?: number;
  readonly seedTime?: number;
  readonly idleTime?: number;
}

/** How often the totals are looked at: a limit of bytes is overrun by what goes meanwhile. */
const LOOK_MS = 250;

/** Watches one command's torrent, and says so when it was seeded enough. */
export class SeedingEnds {
  readonly #context: Context;
  readonly #limits: SeedingLimits;

  constructor(context: Context, { ratio, seedTime, idleTime }: SeedingOptions) {
    this.#context = context;
    this.#limits = {
      ratio: ratio ?? null,
      seedSeconds: seedTime ?? null,
      idleSeconds: idleTime ?? null,
    };
  }

  /** Whether anything ends the seeding but Ctrl-C. */
  get areLimited(): boolean {
    return isAnyLimit(this.#limits);
  }

  /** What ends the seeding, in words. */
  get until(): string {
    return this.areLimited ? 'it was seeded enough, or Ctrl-C' : 'Ctrl-C';
  }

  /** Resolves when the node's only torrent was seeded enough, or `signal` comes. */
  async wait(node: TorrentNode, signal: AbortSignal): Promise<void> {
    const end = await this.#find(node, signal);
    if (!end) return;
    const { output } = this.#context;
    output.event('seeding-end', { reason: end.reason, text: end.line });
    output.line(`seeding ended: ${end.line}`);
  }

  /** Time while it does not seed, because its disk refuses, does not count. */
  async #find({ transfer }: TorrentNode, signal: AbortSignal): Promise<SeedingEnd | null> {
    let [seededMs, idleMs, sentBytes] = [0, 0, 0];
    let lookedAt = performance.now();
    while (!signal.aborted) {
      const [torrent] = this.areLimited ? await transfer.activity() : [];
      const now = performance.now();
      if (torrent?.phase === 'seeding' || torrent?.phase === 'finished') {
        seededMs += now - lookedAt;
        idleMs = torrent.sentBytes > sentBytes ? 0 : idleMs + now - lookedAt;
        sentBytes = torrent.sentBytes;
        const times = { seedSeconds: seededMs / 1000, idleSeconds: idleMs / 1000 };
        const end = endOfSeeding(this.#limits, { ...torrent, ...times });
        if (end) return end;
      }
      lookedAt = now;
      await sleep(LOOK_MS, null, { signal }).catch(() => {});
    }
    return null;
  }
}
