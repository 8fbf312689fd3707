/** A torrent that is followed by its key: which version is the newest (BEP 46). */
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha1, verifyEd25519 } from '../../platform/dht/index.ts';
import { writeWhole } from '../../platform/disk/index.ts';
import { assert, equalBytes, fromHex, toHex } from '../../units/index.ts';
import {
  type MutableMagnet,
  mutableTarget,
  parseMagnet,
  parseMutableMagnet,
  pointMutableMagnet,
  readTorrentPointer,
  signedBytes,
  WireError,
} from '../../wire/index.ts';
import type { TorrentSource } from '../torrent-source.ts';
import type { ItemDht, MutableItem } from './items.ts';

/** One version. */
export interface TorrentVersion {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** Larger than that of any version before. */
  readonly sequence: bigint;
}

/** What following takes. */
export interface FollowPlan {
  readonly dht: ItemDht;
  /** A link to a key. */
  readonly text: string;
  /** Folder in which the newest version known is remembered. */
  readonly folder: string;
}

/** An item is forgotten after two hours: whoever cares puts it again each hour (BEP 44). */
const KEEP_ALIVE_MS = 3_600_000;

/**
 * Follows one key and salt. What it has seen once it remembers, over restarts too: nobody can lead
 * it back to an older version, and it goes on when the DHT has forgotten the item.
 */
export class MutableTorrent {
  readonly #dht: ItemDht;
  readonly #text: string;
  readonly #link: MutableMagnet;
  readonly #target: Uint8Array;
  readonly #file: string;
  #newest: MutableItem | null = null;
  #aliveUntil = performance.now() + KEEP_ALIVE_MS;

  private constructor({ dht, text, folder }: FollowPlan, link: MutableMagnet) {
    this.#dht = dht;
    this.#text = text;
    this.#link = link;
    this.#target = mutableTarget(link.publicKey, link.salt, sha1);
    this.#file = join(folder, `${toHex(this.#target)}.json`);
  }

  /** Begins with what is remembered. Throws WIRE_MAGNET. */
  static async open(plan: FollowPlan): Promise<MutableTorrent> {
    const link = parseMutableMagnet(plan.text);
    assert(link, 'only links to keys are followed');
    const torrent = new MutableTorrent(plan, link);
    torrent.#newest = await recall(torrent.#file, link);
    return torrent;
  }

  /** The newest version known; null while none is, or when the newest item names no torrent. */
  get version(): TorrentVersion | null {
    if (!this.#newest) return null;
    const { value, sequence } = this.#newest;
    const infoHash = readTorrentPointer(value);
    return infoHash && { infoHash, sequence };
  }

  /** What to download: the newest version, else what the link itself names; null for nothing. */
  get source(): TorrentSource | null {
    const { version } = this;
    if (version) return { kind: 'magnet', text: pointMutableMagnet(this.#text, version.infoHash) };
    return namesTorrent(this.#text) ? { kind: 'magnet', text: this.#text } : null;
  }

  /** Asks the DHT once, and helps it to keep the item. */
  async look(): Promise<void> {
    const found = await this.#dht.getItem(this.#target, this.#link.salt);
    const there = found?.kind === 'mutable' ? found : null;
    const known = this.#newest;
    if (there && (!known || there.sequence > known.sequence)) {
      this.#newest = there;
      await remember(this.#file, there);
    }
    const isBehind = known !== null && (!there || there.sequence < known.sequence);
    if (!isBehind && performance.now() < this.#aliveUntil) return;
    this.#aliveUntil = performance.now() + KEEP_ALIVE_MS;
    if (this.#newest) await this.#dht.putItem(this.#newest);
  }

  /** Looks every so often until another torrent than now is the newest; null when aborted. */
  async next(everyMs: number, signal: AbortSignal): Promise<TorrentVersion | null> {
    const before = this.version;
    while (!signal.aborted) {
      await sleep(everyMs, null, { signal, ref: false }).catch(() => {});
      if (signal.aborted) break;
      await this.look();
      const { version } = this;
      if (version && !(before && equalBytes(version.infoHash, before.infoHash))) return version;
    }
    return null;
  }
}

/** Whether a link to a key is a link to a torrent, too. */
function namesTorrent(text: string): boolean {
  try {
    return parseMagnet(text).infoHashV1 !== null;
  } catch (failure) {
    if (failure instanceof WireError) return false;
    throw failure;
  }
}

/** Forgetting costs a look into the DHT: a disk that refuses is no failure. */
async function remember(file: string, item: MutableItem): Promise<void> {
  const { sequence, value, signature } = item;
  const stored = { sequence: `${sequence}`, value: toHex(value), signature: toHex(signature) };
  await writeWhole(file, JSON.stringify(stored)).catch(() => {});
}

/** What was remembered, if the key has signed it. */
async function recall(file: string, link: MutableMagnet): Promise<MutableItem | null> {
  try {
    const stored = JSON.parse(await fs.readFile(file, 'utf8'));
    const part = {
      value: fromHex(stored.value),
      salt: link.salt,
      sequence: BigInt(stored.sequence),
    };
    const signature = fromHex(stored.signature);
    const { publicKey } = link;
    const isSigned = verifyEd25519(signature, signedBytes(part), publicKey);
    return isSigned ? { kind: 'mutable', publicKey, signature, ...part } : null;
  } catch {
    return null;
  }
}
