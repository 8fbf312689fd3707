/**
 * The embedded chain's state on the disk: numbered generations, each written whole or not at all.
 */
import { randomInt } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** How many generations are kept: the newest and the one before it. */
const GENERATIONS_KEPT = 2;

const NAME = /^state-(\d{12})\.json$/;

/** 1 January 2020, and five years: where the first blocks of our chains lie. */
const GENESIS_SECONDS_MIN = 1_577_836_800;
const GENESIS_SECONDS_SPAN = 5 * 365 * 86_400;

/**
 * The time of the first block of a folder's chain, in seconds since 1970: chosen at random once, so
 * that two chains differ in their first block, and told to anvil at every start. Otherwise it would
 * add a first block of its own to those of the state it loads, and any of them could be block 0.
 */
export function genesisSeconds(folder: string): number {
  const path = join(folder, 'genesis.txt');
  try {
    const seconds = Number(readFileSync(path, 'utf8'));
    if (seconds >= GENESIS_SECONDS_MIN) return seconds;
  } catch {
    // A new chain.
  }
  const seconds = GENESIS_SECONDS_MIN + randomInt(GENESIS_SECONDS_SPAN);
  writeFileSync(`${path}.tmp`, `${seconds}\n`, { flush: true });
  renameSync(`${path}.tmp`, path);
  return seconds;
}

/** The generations in one folder. */
export class StateFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Paths of the generations, newest first. */
  newestFirst(): readonly string[] {
    const names = readdirSync(this.#folder).filter((name) => NAME.test(name));
    return names
      .sort()
      .reverse()
      .map((name) => join(this.#folder, name));
  }

  /** Writes a new generation. When this resolves it survives a crash of the machine. */
  async write(state: Uint8Array): Promise<void> {
    const newest = this.newestFirst()[0];
    const number = newest === undefined ? 1 : generationOf(newest) + 1;
    const path = join(this.#folder, `state-${String(number).padStart(12, '0')}.json`);
    const file = await open(`${path}.tmp`, 'w', 0o600);
    try {
      await file.writeFile(state);
      await file.sync();
    } finally {
      await file.close();
    }
    renameSync(`${path}.tmp`, path);
    this.#syncFolder();
    for (const old of this.newestFirst().slice(GENERATIONS_KEPT)) rmSync(old, { force: true });
  }

  #syncFolder(): void {
    // Windows cannot open a folder; its file system journals the name by itself.
    if (process.platform === 'win32') return;
    const handle = openSync(this.#folder, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  }
}

function generationOf(path: string): number {
  return Number(/state-(\d{12})\.json$/.exec(path)?.[1] ?? 0);
}
