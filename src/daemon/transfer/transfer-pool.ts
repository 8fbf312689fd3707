/**
 * Several transfer threads as one. A torrent lives in one of them, its shard, which listens on a
 * port of its own and announces that port; nothing is shared, so cores add up.
 */
import type { PeerAddress } from '../../engine/index.ts';
import { assert, toHex } from '../../units/index.ts';
import type { TrackerTiers } from '../trackers/edit-trackers.ts';
import { joinSnapshots } from './join-snapshots.ts';
import { LimitBalancer } from './limit-balancer.ts';
import type {
  OutsidePlace,
  RestartTerms,
  SleepingTorrent,
  TorrentActivity,
  TorrentSpec,
  TrackerView,
  TransferCalls,
  TransferLoad,
  TransferRates,
  TransferSnapshot,
} from './messages.ts';
import type { PieceRange } from './piece-waits.ts';
import type { Transfer } from './transfer.ts';

/** A running transfer thread. */
export type Shard = Pick<Transfer, keyof Transfer>;

/** Shards whose rates differ by less are equally loaded; then the number of torrents decides. */
const RATE_STEP_BYTES = 64 * 1024;

/** The calls of a transfer thread, answered by all of them or by the torrent's own. */
export class TransferPool implements TransferCalls {
  readonly #shards: readonly Shard[];
  readonly #balancer: LimitBalancer;
  /** Torrent → its shard. */
  readonly #places = new Map<string, number>();
  /** How many torrents live in each shard. */
  readonly #counts: number[];

  /**
   * `shards` are running, each with an even part of `limits`, in bytes a second; `Infinity` for no
   * limit.
   */
  constructor(shards: readonly Shard[], limits: Required<TransferRates>) {
    assert(shards.length > 0, 'a pool has at least one thread');
    this.#shards = shards;
    this.#counts = shards.map(() => 0);
    this.#balancer = new LimitBalancer(shards, limits);
  }

  /** The port the user knows: the first shard's. 0 when nobody listens. */
  get port(): number {
    return this.#only.port;
  }

  /** Every shard's port. */
  get ports(): readonly number[] {
    return this.#shards.map(({ port }) => port);
  }

  /** Adds a torrent to the shard that does least; one that sleeps wakes where it is. */
  async add(spec: TorrentSpec): Promise<string> {
    if (this.#shards.length === 1) return this.#only.add(spec);
    const { readInput } = await import('./torrent-input.ts');
    const key = toHex(readInput(spec.source).infoHash);
    const rates = this.#places.has(key) ? [] : await this.#balancer.rates();
    const isNew = !this.#places.has(key);
    const shard = this.#shard(this.#place(key, rates));
    try {
      return await shard.add(spec);
    } catch (failure) {
      if (isNew) this.#forget(key);
      throw failure;
    }
  }

  /** Spreads sleeping torrents evenly. */
  async addSleeping(torrents: readonly SleepingTorrent[]): Promise<void> {
    const lists = this.#shards.map((): SleepingTorrent[] => []);
    const idle = this.#shards.map(() => 0);
    for (const sleeper of torrents) {
      lists[this.#place(sleeper.torrent, idle)]?.push(sleeper);
    }
    await Promise.all(
      lists.map((list, nth) => (list.length > 0 ? this.#shard(nth).addSleeping(list) : null)),
    );
  }

  async remove(torrent: string): Promise<TorrentActivity | null> {
    const last = await this.#of(torrent).remove(torrent);
    this.#forget(torrent);
    return last;
  }

  retry(torrent: string): Promise<void> {
    return this.#of(torrent).retry(torrent);
  }

  rest(torrent: string): Promise<boolean> {
    return this.#of(torrent).rest(torrent);
  }

  goOn(torrent: string, terms: RestartTerms): Promise<void> {
    return this.#of(torrent).goOn(torrent, terms);
  }

  addPeers(torrent: string, peers: readonly PeerAddress[]): Promise<void> {
    return this.#of(torrent).addPeers(torrent, peers);
  }

  prioritiseFiles(torrent: string, priorities: readonly number[]): Promise<void> {
    return this.#of(torrent).prioritiseFiles(torrent, priorities);
  }

  setSequential(torrent: string, isSequential: boolean): Promise<void> {
    return this.#of(torrent).setSequential(torrent, isSequential);
  }

  setTrackers(torrent: string, tiers: TrackerTiers): Promise<void> {
    return this.#of(torrent).setTrackers(torrent, tiers);
  }

  trackers(torrent: string): Promise<readonly TrackerView[]> {
    return this.#of(torrent).trackers(torrent);
  }

  whenHere(torrent: string, range: PieceRange, withinMs: number): Promise<void> {
    return this.#of(torrent).whenHere(torrent, range, withinMs);
  }

  forget(torrent: string, range: PieceRange): Promise<void> {
    return this.#of(torrent).forget(torrent, range);
  }

  /**
   * Limits one torrent, or all. A limit on all is divided by demand, anew each second: the parts
   * never exceed it, and where demand has not just changed at least 96 % of it can be used.
   */
  limit(rates: TransferRates, torrent?: string): Promise<void> {
    if (torrent !== undefined) return this.#of(torrent).limit(rates, torrent);
    return this.#balancer.limit(rates);
  }

  async reachedAt(outside: ReadonlyMap<number, OutsidePlace>): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.reachedAt(outside)));
  }

  async load(): Promise<TransferLoad> {
    const loads = await Promise.all(this.#shards.map((shard) => shard.load()));
    const join = (direction: keyof TransferLoad): TransferLoad['upload'] => ({
      movedBytes: loads.reduce((sum, load) => sum + load[direction].movedBytes, 0),
      wasShort: loads.some((load) => load[direction].wasShort),
    });
    return { upload: join('upload'), download: join('download') };
  }

  async snapshot(): Promise<TransferSnapshot> {
    return joinSnapshots(await Promise.all(this.#shards.map((shard) => shard.snapshot())));
  }

  async activity(): Promise<readonly TorrentActivity[]> {
    return (await Promise.all(this.#shards.map((shard) => shard.activity()))).flat();
  }

  async settle(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.settle()));
  }

  /** Stops every shard, also when one of them fails to; throws the first failure then. */
  async stop(): Promise<void> {
    this.#balancer.stop();
    const outcomes = await Promise.allSettled(this.#shards.map((shard) => shard.stop()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  get #only(): Shard {
    return this.#shard(0);
  }

  #shard(nth: number): Shard {
    const shard = this.#shards[nth];
    assert(shard, 'a place is a shard of the pool');
    return shard;
  }

  /** Unknown torrents are refused by the first shard. */
  #of(torrent: string): Shard {
    return this.#shard(this.#places.get(torrent) ?? 0);
  }

  /** Where a torrent lives, or from now on will: where least is moved, or where fewest live. */
  #place(torrent: string, rates: readonly number[]): number {
    const known = this.#places.get(torrent);
    if (known !== undefined) return known;
    const rank = (nth: number): readonly number[] => [
      this.#shard(nth).hasCrashed ? 1 : 0,
      Math.floor((rates[nth] ?? 0) / RATE_STEP_BYTES),
      this.#counts[nth] ?? 0,
    ];
    let best = 0;
    for (let nth = 1; nth < this.#shards.length; nth++) {
      if (isLess(rank(nth), rank(best))) best = nth;
    }
    this.#places.set(torrent, best);
    this.#count(best, 1);
    return best;
  }

  #forget(torrent: string): void {
    const place = this.#places.get(torrent);
    if (place === undefined) return;
    this.#places.delete(torrent);
    this.#count(place, -1);
  }

  #count(place: number, change: number): void {
    this.#counts[place] = (this.#counts[place] ?? 0) + change;
  }
}

/** By the first number that differs. */
function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (const [at, value] of a.entries()) {
    if (value !== b[at]) return value < (b[at] ?? 0);
  }
  return false;
}
