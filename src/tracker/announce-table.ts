/** Who announced what: every swarm of the tracker, within the limits of `TableOptions`. */
import { type Instant, instant, type Random, toHex } from '../units/index.ts';
import {
  type AnnounceRequest,
  type Endpoint,
  type Family,
  formatIp,
  parseIp,
  type ScrapeCounts,
  unmapIp,
} from '../wire/index.ts';
import { Swarm, type SwarmPeer } from './swarm.ts';
import type { TableOptions } from './table-options.ts';
import { Tally } from './tally.ts';

/** An announce with the address it really came from. */
export interface TableAnnounce {
  readonly request: AnnounceRequest;
  /** Literal source address; the only one believed (an `ip=` parameter could be anybody's). */
  readonly host: string;
  /** Peers of the other family are wanted too (HTTP only). */
  readonly wantsBothFamilies: boolean;
}

/** Why the table did not take an announce; a sentence for the client's user. */
export type TableOutcome =
  | { readonly ok: true; readonly counts: ScrapeCounts; readonly peers: readonly SwarmPeer[] }
  | { readonly ok: false; readonly refusal: string };

/** What the table needs from outside. */
export interface TableDependencies {
  readonly random: Random;
  /** Which torrents are served; all when absent. Given 20 bytes. */
  readonly isAllowed?: (infoHash: Uint8Array) => boolean;
}

/** Totals over all swarms. */
export interface TableTotals {
  readonly swarms: number;
  readonly peers: number;
}

const NO_COUNTS: ScrapeCounts = { seeders: 0, leechers: 0, completed: 0 };

/** Every swarm. Owns its memory and keeps it within the limits. */
export class AnnounceTable {
  readonly #dependencies: TableDependencies;
  readonly #options: TableOptions;
  /** Least recently announced first. */
  readonly #swarms = new Map<string, Swarm>();
  readonly #networks = new Tally();
  #peers = 0;

  constructor(dependencies: TableDependencies, options: TableOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
  }

  get totals(): TableTotals {
    return { swarms: this.#swarms.size, peers: this.#peers };
  }

  /** Takes an announce in and says whom else there is. */
  announce(announce: TableAnnounce, now: Instant): TableOutcome {
    const { request } = announce;
    if (this.#dependencies.isAllowed?.(request.infoHash) === false) {
      return { ok: false, refusal: 'this tracker does not serve that torrent' };
    }
    const peer = peerOf(announce, now);
    if (!peer) return { ok: false, refusal: 'your address is not an IP address' };
    const name = toHex(request.infoHash);
    let swarm = this.#swarms.get(name);
    if (swarm) this.#expireSwarm(swarm, now);
    if (request.event === 'stopped' || request.port === 0) {
      // Port 0 accepts nobody: such a client is answered but not handed out to others.
      if (swarm?.remove(peer)) this.#forget(peer);
      const counts = swarm?.counts ?? NO_COUNTS;
      const peers = request.event === 'stopped' ? [] : this.#sample(swarm, peer, announce);
      return { ok: true, counts, peers };
    }
    const refusal = this.#refusalFor(swarm, peer, now);
    if (refusal !== null) return { ok: false, refusal };
    swarm ??= new Swarm();
    this.#swarms.delete(name);
    this.#swarms.set(name, swarm);
    this.#put(swarm, peer, request);
    return { ok: true, counts: swarm.counts, peers: this.#sample(swarm, peer, announce) };
  }

  /** Numbers of one swarm; zeros when it is unknown or not served. */
  scrape(infoHash: Uint8Array, now: Instant): ScrapeCounts {
    const swarm = this.#swarms.get(toHex(infoHash));
    if (!swarm) return NO_COUNTS;
    this.#expireSwarm(swarm, now);
    return swarm.counts;
  }

  /** Drops swarms nobody announced to for a peer's life. Call every minute or so. */
  expire(now: Instant): void {
    for (const [name, swarm] of this.#swarms) {
      if (swarm.seenAt >= this.#deadline(now)) break;
      this.#drop(name, swarm);
    }
  }

  #put(swarm: Swarm, peer: SwarmPeer, request: AnnounceRequest): void {
    const known = swarm.get(peer);
    if (known) this.#forget(known);
    // Only a peer that was seen downloading can have completed: the count cannot be inflated
    // by repeating the event.
    if (request.event === 'completed' && known && !known.isSeeder) swarm.addCompleted();
    swarm.put(peer);
    this.#peers++;
    this.#networks.add(peer.network);
  }

  #refusalFor(swarm: Swarm | undefined, peer: SwarmPeer, now: Instant): string | null {
    if (swarm?.get(peer)) return null;
    const limits = this.#options;
    if (this.#networks.count(peer.network) >= limits.peersPerNetworkMax) {
      return 'too many peers announce from your address';
    }
    if (swarm) {
      if (swarm.countOf(peer.network) >= limits.peersPerNetworkPerSwarmMax) {
        return 'too many peers of this torrent announce from your address';
      }
      if (swarm.size >= limits.peersPerSwarmMax) return 'this swarm is full on this tracker';
    }
    const isFull = (): boolean =>
      this.#peers >= limits.peersMax || (!swarm && this.#swarms.size >= limits.swarmsMax);
    if (isFull()) this.expire(now);
    if (isFull()) this.#dropOldestEmpty();
    return isFull() ? 'this tracker is full' : null;
  }

  /** Swarms whose peers all left are kept for their completed count, until room is needed. */
  #dropOldestEmpty(): void {
    let looked = 0;
    for (const [name, swarm] of this.#swarms) {
      if (swarm.size === 0) {
        this.#drop(name, swarm);
        return;
      }
      if (++looked >= EMPTY_SEARCH_MAX) return;
    }
  }

  #drop(name: string, swarm: Swarm): void {
    for (const peer of swarm.peers()) this.#forget(peer);
    this.#swarms.delete(name);
  }

  #sample(swarm: Swarm | undefined, self: SwarmPeer, announce: TableAnnounce): SwarmPeer[] {
    if (!swarm) return [];
    const { numWant } = announce.request;
    const wanted = numWant < 0 ? this.#options.numWantDefault : numWant;
    const wish = {
      family: self.family,
      count: Math.min(wanted, this.#options.numWantMax),
      leechersOnly: self.isSeeder,
      self,
    };
    const peers = swarm.sample(wish, this.#dependencies.random);
    if (!announce.wantsBothFamilies || peers.length >= wish.count) return peers;
    const family: Family = self.family === 4 ? 6 : 4;
    const rest = { ...wish, family, count: wish.count - peers.length };
    return [...peers, ...swarm.sample(rest, this.#dependencies.random)];
  }

  #expireSwarm(swarm: Swarm, now: Instant): void {
    for (const peer of swarm.expire(this.#deadline(now))) this.#forget(peer);
  }

  #forget(peer: SwarmPeer): void {
    this.#peers--;
    this.#networks.remove(peer.network);
  }

  #deadline(now: Instant): Instant {
    return instant(now - this.#options.peerLifeSeconds * 1000);
  }
}

/** Swarms looked at for an empty one to drop: bounds what one announce can cost. */
const EMPTY_SEARCH_MAX = 1000;

function peerOf({ request, host }: TableAnnounce, now: Instant): SwarmPeer | null {
  const parsed = parseIp(host);
  if (!parsed) return null;
  const address = unmapIp(parsed);
  const endpoint: Endpoint = { host: formatIp(address), port: request.port };
  return {
    ...endpoint,
    family: address.length === 4 ? 4 : 6,
    peerId: request.peerId,
    isSeeder: request.leftBytes === 0,
    seenAt: now,
    network: toHex(address.subarray(0, 8)),
  };
}
