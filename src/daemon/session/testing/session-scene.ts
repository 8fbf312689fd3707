/** Sessions in a folder of their own, tiny torrents, and transfer threads that only take notes. */
import { hash } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBencode } from '../../../wire/index.ts';
import { DataFolder } from '../../data-folder.ts';
import type { TransferListener } from '../../transfer/index.ts';
import type {
  SleepingTorrent,
  TorrentActivity,
  TorrentNews,
  TorrentSpec,
} from '../../transfer/messages.ts';
import { Session, type SessionOptions, type SessionTransfer } from '../index.ts';

const PIECE_BYTES = 16 * 1024;

/** A temporary folder; `remove` deletes it. */
export function makeFolder(): { readonly path: string; readonly remove: () => void } {
  const path = fs.mkdtempSync(join(tmpdir(), 'bidwidth-session-'));
  return { path, remove: () => fs.rmSync(path, { recursive: true, force: true }) };
}

/** The torrent file of `content` as a file called `name`. */
export function torrentOf(
  name: string,
  content: Uint8Array,
): { readonly bytes: Uint8Array; readonly key: string } {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    pieces.push(hash('sha1', content.subarray(at, at + PIECE_BYTES), 'buffer'));
  }
  const info = {
    length: content.length,
    name,
    'piece length': PIECE_BYTES,
    pieces: new Uint8Array(Buffer.concat(pieces)),
  };
  const key = hash('sha1', encodeBencode(info));
  return { bytes: encodeBencode({ info }), key };
}

/** Transfer threads that do nothing; `tell` speaks for them. */
export class FakeTransfer implements SessionTransfer {
  readonly calls: string[] = [];
  readonly working: Map<string, TorrentSpec> = new Map();
  readonly asleep: Set<string> = new Set();
  activities: TorrentActivity[] = [];
  /** What the next `add` is refused with. */
  refusal: Error | null = null;
  readonly #listener: TransferListener;
  readonly #keyOf: (spec: TorrentSpec) => string;

  constructor(listener: TransferListener, keyOf: (spec: TorrentSpec) => string) {
    this.#listener = listener;
    this.#keyOf = keyOf;
  }

  tell(torrent: string, news: TorrentNews): void {
    this.#listener.onNews(torrent, news);
  }

  async add(spec: TorrentSpec): Promise<string> {
    const key = this.#keyOf(spec);
    if (this.refusal) throw this.refusal;
    this.asleep.delete(key);
    this.working.set(key, spec);
    this.calls.push(`add ${key.slice(0, 4)}`);
    return key;
  }

  async addSleeping(torrents: readonly SleepingTorrent[]): Promise<void> {
    for (const { torrent } of torrents) this.asleep.add(torrent);
    this.calls.push(`addSleeping ${torrents.length}`);
  }

  async remove(torrent: string): Promise<void> {
    this.asleep.delete(torrent);
    this.working.delete(torrent);
    this.calls.push(`remove ${torrent.slice(0, 4)}`);
  }

  async activity(): Promise<readonly TorrentActivity[]> {
    return this.activities;
  }

  async prioritiseFiles(torrent: string, priorities: readonly number[]): Promise<void> {
    this.calls.push(`prioritiseFiles ${torrent.slice(0, 4)} ${priorities.join('')}`);
  }

  async retry(torrent: string): Promise<void> {
    this.calls.push(`retry ${torrent.slice(0, 4)}`);
  }

  async setSequential(torrent: string, isSequential: boolean): Promise<void> {
    this.calls.push(`setSequential ${torrent.slice(0, 4)} ${isSequential}`);
  }

  async stop(): Promise<void> {
    this.calls.push('stop');
  }
}

/** A session over a `FakeTransfer`. */
export async function openFake(
  home: string,
  options: Partial<SessionOptions> = {},
): Promise<{ readonly session: Session; readonly transfer: FakeTransfer }> {
  let transfer: FakeTransfer | null = null;
  const session = await Session.open({
    data: new DataFolder(home),
    start: async (listener) => {
      transfer = new FakeTransfer(listener, (spec) => keyOfSpec(spec));
      return transfer;
    },
    onTrouble: (failure) => {
      throw failure;
    },
    ...options,
  });
  if (!transfer) throw new Error('the session did not start its transfer threads');
  return { session, transfer };
}

function keyOfSpec({ source }: TorrentSpec): string {
  if (source.kind === 'magnet') return source.text.replace(/^.*btih:/, '').slice(0, 40);
  // The tests' torrents are nothing but their info dictionary: `d4:info` … `e`.
  return hash('sha1', source.bytes.subarray('d4:info'.length, -1));
}
