/** A user who never rests: adds, pauses, resumes and removes torrents of a session at random. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AddRequest, Session } from '../../src/daemon/session/index.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Plan, PlannedTorrent } from './plan.ts';

/** Whose torrents, which ones, and where downloads go. */
export interface WandererOptions {
  readonly session: Session;
  readonly plan: Plan;
  readonly folder: string;
  readonly random: SeededRandom;
  /** From 0 to 1: how many of the torrents are added as complete. */
  readonly seedShare: number;
}

interface Held {
  readonly key: string;
  /** Null for one that seeds the common content. */
  readonly folder: string | null;
  isPaused: boolean;
}

type Change = 'remove' | 'pause' | 'sequential' | 'order';

/** See the head of this file. What it decides depends on the seed only, not on what happens. */
export class Wanderer {
  readonly #options: WandererOptions;
  readonly #held = new Map<string, Held>();
  steps = 0;

  constructor(options: WandererOptions) {
    this.#options = options;
  }

  /** Makes one change. */
  async step(): Promise<void> {
    this.steps += 1;
    const { plan, random } = this.#options;
    const torrent = random.pick(plan.torrents.map((one) => [one, 1] as const));
    const held = this.#held.get(torrent.name);
    if (held) await this.#change(torrent, held);
    else await this.#add(torrent);
  }

  /** Has everything. */
  async addAll(): Promise<void> {
    for (const torrent of this.#options.plan.torrents) await this.#add(torrent);
  }

  /** Removes everything, the downloaded files too. */
  async clear(): Promise<void> {
    const all = [...this.#held];
    await this.#options.session.remove(all.map(([, { key }]) => key));
    for (const [, { folder }] of all) await discard(folder);
    this.#held.clear();
  }

  async #add(torrent: PlannedTorrent): Promise<void> {
    const { session, plan, random, folder, seedShare } = this.#options;
    const isSeed = random.next() < seedShare;
    const byMagnet = random.next() < 0.4;
    const isSequential = random.next() < 0.2;
    const own = isSeed ? null : join(folder, `${this.steps}`);
    const source: AddRequest['source'] =
      byMagnet && !isSeed
        ? { kind: 'magnet', text: torrent.magnet }
        : { kind: 'metainfo', bytes: new Uint8Array(await readFile(torrent.torrentPath)) };
    const [outcome] = await session.add([
      { source, root: own ?? plan.content, isSaidToBeComplete: isSeed, isSequential },
    ]);
    if (!outcome?.ok) throw new Error(`${torrent.name} was refused: ${JSON.stringify(outcome)}`);
    this.#held.set(torrent.name, { key: outcome.key, folder: own, isPaused: false });
  }

  async #change(torrent: PlannedTorrent, held: Held): Promise<void> {
    const { session, random } = this.#options;
    const { key } = held;
    const change = random.pick<Change>([
      ['remove', 5],
      ['pause', 3],
      ['sequential', 1],
      ['order', 1],
    ]);
    switch (change) {
      case 'remove':
        this.#held.delete(torrent.name);
        await session.remove([key]);
        await discard(held.folder);
        break;
      case 'pause':
        held.isPaused = !held.isPaused;
        await (held.isPaused ? session.pause([key]) : session.resume([key]));
        break;
      case 'sequential':
        await session.setSequential(key, random.next() < 0.5);
        break;
      case 'order':
        session.move([key], random.next() < 0.5 ? 'top' : 'bottom');
        break;
    }
  }
}

async function discard(folder: string | null): Promise<void> {
  if (folder !== null) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
