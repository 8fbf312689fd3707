/** Sessions in a folder of their own, tiny torrents, and transfer threads that only take notes. */
import { hash } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { encodeBencode } from '../../../wire/index.ts';
import { DataFolder } from '../../data-folder.ts';
import type { TrackerTiers } from '../../trackers/index.ts';
import type { TransferListener } from '../../transfer/index.ts';
import type {
  RestartTerms,
  SleepingTorrent,
  TorrentActivity,
  TorrentNews,
  TorrentSpec,
  TrackerView,
  TransferRates,
} from '../../transfer/messages.ts';
import { type AddRequest, Session, type SessionOptions, type SessionTransfer } from '../index.ts';

const PIECE_BYTES = 16 * 1024;

/** A temporary folder; `remove` deletes it. */
export function makeFolder(): { readonly path: string; readonly remove: () => void } {
  const path = fs.mkdtempSync(join(tmpdir(), 'bidwidth-session-'));
  return { path, remove: () => fs.rmSync(path, { recursive: true, force: true }) };
}

/** What a torrent file may say beside its content. */
export interface TorrentManner {
  readonly isPrivate?: true;
  readonly announce?: string;
}

/** The torrent file of `content` as a file called `name`. */
export function torrentOf(
  name: string,
  content: Uint8Array,
  { isPrivate, announce }: TorrentManner = {},
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
    ...(isPrivate ? { private: 1 } : {}),
  };
  const key = hash('sha1', encodeBencode(info));
  return { bytes: encodeBencode({ ...(announce ? { announce } : {}), info }), key };
}

/** A request for a torrent whose file of 40,000 bytes lies in `root`. */
export function seedIn(root: string, name: string): AddRequest & { readonly key: string } {
  const content = new Uint8Array(40_000).fill(name.charCodeAt(0));
  fs.mkdirSync(root, { recursive: true });
  fs.writeFileSync(join(root, name), content);
  const { bytes, key } = torrentOf(name, content);
  return { source: { kind: 'metainfo', bytes }, root, isSaidToBeComplete: true, key };
}

/** Time that passes only when it is told to. */
export interface SessionTime {
  /** Lets `ms` pass `times` times; what they set off is done then. */
  pass(ms: number, times: number): Promise<void>;
  /** Time passes that nobody is there for. */
  skip(ms: number): void;
}

/** Takes the clock and the intervals of this process over until the test ends. */
export function sessionTime(t: TestContext): SessionTime {
  let nowMs = 1_000;
  t.mock.timers.enable({ apis: ['setInterval'] });
  t.mock.method(performance, 'now', () => nowMs);
  return {
    async pass(ms, times) {
      for (let at = 0; at < times; at++) {
        nowMs += ms;
        t.mock.timers.tick(ms);
        // The answers of transfer threads that only take notes need a few turns.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    skip(ms) {
      nowMs += ms;
    },
  };
}

/** Transfer threads that do nothing; `tell` speaks for them. */
export class FakeTransfer implements SessionTransfer {
  readonly calls: string[] = [];
  readonly working: Map<string, TorrentSpec> = new Map();
  readonly asleep: Set<string> = new Set();
  readonly restarts: RestartTerms[] = [];
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

  async remove(torrent: string): Promise<TorrentActivity | null> {
    this.asleep.delete(torrent);
    this.working.delete(torrent);
    this.calls.push(`remove ${torrent.slice(0, 4)}`);
    return this.activities.find((activity) => activity.torrent === torrent) ?? null;
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

  async rest(torrent: string): Promise<boolean> {
    this.calls.push(`rest ${torrent.slice(0, 4)}`);
    return this.working.has(torrent);
  }

  async goOn(torrent: string, terms: RestartTerms): Promise<void> {
    this.calls.push(`goOn ${torrent.slice(0, 4)} ${terms.root}`);
    this.restarts.push(terms);
  }

  async setSequential(torrent: string, isSequential: boolean): Promise<void> {
    this.calls.push(`setSequential ${torrent.slice(0, 4)} ${isSequential}`);
  }

  async limit({ upload, download }: TransferRates, torrent = 'all'): Promise<void> {
    this.calls.push(`limit ${torrent.slice(0, 4)} ${upload ?? ''} ${download ?? ''}`);
  }

  async setTrackers(torrent: string, tiers: TrackerTiers): Promise<void> {
    this.calls.push(`setTrackers ${torrent.slice(0, 4)} ${tiers.map((tier) => tier.join('+'))}`);
  }

  async trackers(): Promise<readonly TrackerView[]> {
    return [];
  }

  async stop(): Promise<void> {
    this.calls.push('stop');
  }
}

/** A session over a `FakeTransfer`; it ends with the test. */
export async function openFake(
  t: TestContext,
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
  t.after(() => session.close());
  if (!transfer) throw new Error('the session did not start its transfer threads');
  return { session, transfer };
}

function keyOfSpec({ source }: TorrentSpec): string {
  if (source.kind === 'magnet') return source.text.replace(/^.*btih:/, '').slice(0, 40);
  // The tests' torrents are nothing but their info dictionary: `d4:info` … `e`.
  return hash('sha1', source.bytes.subarray('d4:info'.length, -1));
}
