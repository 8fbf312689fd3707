/** One torrent's peers on the tracker: who they are, when they were last seen, a fair sample. */
import { type Instant, instant, type Random, randomInt } from '../units/index.ts';
import type { Endpoint, Family, ScrapeCounts } from '../wire/index.ts';
import { Tally } from './tally.ts';

/** One announced peer. */
export interface SwarmPeer extends Endpoint {
  readonly family: Family;
  readonly peerId: Uint8Array;
  readonly isSeeder: boolean;
  readonly seenAt: Instant;
  /** What counts as one address against limits: an IPv4 address or an IPv6 /64. */
  readonly network: string;
}

/** Which peers a requester is given. */
export interface SampleWish {
  readonly family: Family;
  readonly count: number;
  /** A seeder has no use for other seeders. */
  readonly leechersOnly: boolean;
  /** The requester itself, left out. */
  readonly self: Endpoint;
}

interface Entry {
  peer: SwarmPeer;
  /** Place in its pool, kept so that removal costs nothing. */
  slot: number;
}

/** Peers of one torrent. Bounded by whoever adds to it; see `AnnounceTable`. */
export class Swarm {
  /** Least recently announced first, so that expiry looks only at what it removes. */
  readonly #entries = new Map<string, Entry>();
  readonly #pools: Record<string, Entry[]> = { '4s': [], '4l': [], '6s': [], '6l': [] };
  readonly #networks = new Tally();
  #completed = 0;
  #seenAt: Instant = instant(0);

  get size(): number {
    return this.#entries.size;
  }

  /** When anybody last announced here. */
  get seenAt(): Instant {
    return this.#seenAt;
  }

  get counts(): ScrapeCounts {
    const seeders = this.#pool(4, true).length + this.#pool(6, true).length;
    return { seeders, leechers: this.size - seeders, completed: this.#completed };
  }

  /** How many peers of this network are here. */
  countOf(network: string): number {
    return this.#networks.count(network);
  }

  get(endpoint: Endpoint): SwarmPeer | undefined {
    return this.#entries.get(keyOf(endpoint))?.peer;
  }

  /** Adds a peer or renews one. */
  put(peer: SwarmPeer): void {
    this.remove(peer);
    const entry: Entry = { peer, slot: 0 };
    this.#entries.set(keyOf(peer), entry);
    entry.slot = this.#pool(peer.family, peer.isSeeder).push(entry) - 1;
    this.#networks.add(peer.network);
    this.#seenAt = peer.seenAt;
  }

  /** Takes a peer out; undefined when it was not there. */
  remove(endpoint: Endpoint): SwarmPeer | undefined {
    const entry = this.#entries.get(keyOf(endpoint));
    if (!entry) return undefined;
    this.#entries.delete(keyOf(endpoint));
    const pool = this.#pool(entry.peer.family, entry.peer.isSeeder);
    const last = pool.pop();
    if (last && last !== entry) {
      pool[entry.slot] = last;
      last.slot = entry.slot;
    }
    this.#networks.remove(entry.peer.network);
    return entry.peer;
  }

  /** Counts one finished download. */
  addCompleted(): void {
    this.#completed++;
  }

  /** Takes out everybody last seen before `deadline`, and returns them. */
  expire(deadline: Instant): SwarmPeer[] {
    const expired: SwarmPeer[] = [];
    for (const { peer } of this.#entries.values()) {
      if (peer.seenAt >= deadline) break;
      expired.push(peer);
    }
    for (const peer of expired) this.remove(peer);
    return expired;
  }

  /** Every peer, least recently seen first. */
  peers(): SwarmPeer[] {
    return Array.from(this.#entries.values(), (entry) => entry.peer);
  }

  /** Up to `count` different peers, each equally likely. Costs O(count) in any swarm. */
  sample(wish: SampleWish, random: Random): SwarmPeer[] {
    const leechers = this.#pool(wish.family, false);
    const seeders = wish.leechersOnly ? [] : this.#pool(wish.family, true);
    const total = leechers.length + seeders.length;
    const at = (index: number): Entry | undefined =>
      index < leechers.length ? leechers[index] : seeders[index - leechers.length];
    // Floyd's algorithm; one more than asked, because the requester itself may be drawn.
    const chosen = new Set<number>();
    for (let top = Math.max(0, total - wish.count - 1); top < total; top++) {
      const index = randomInt(random, top + 1);
      chosen.add(chosen.has(index) ? top : index);
    }
    const peers: SwarmPeer[] = [];
    for (const index of chosen) {
      const peer = at(index)?.peer;
      if (peer && keyOf(peer) !== keyOf(wish.self)) peers.push(peer);
    }
    // Floyd puts late indexes last: drop the surplus from a random place.
    if (peers.length > wish.count) peers.splice(randomInt(random, peers.length), 1);
    return peers;
  }

  #pool(family: Family, isSeeder: boolean): Entry[] {
    return this.#pools[`${family}${isSeeder ? 's' : 'l'}`] ?? [];
  }
}

function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}
