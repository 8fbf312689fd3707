/** The whole DHT node: the IPv4 and the IPv6 DHT side by side (BEP 32), one question to both. */
import { assert, type Instant } from '../../units/index.ts';
import type { DhtItem, Endpoint, Family, NodeContact } from '../../wire/index.ts';
import { BUCKET_NODES } from './bucket.ts';
import { DhtNode, type DhtPorts } from './dht-node.ts';
import { type ItemName, type ItemPut, putItem, searchItem } from './item-search.ts';
import { type PeerSearch, type PeerSearchResult, searchPeers } from './peer-search.ts';
import { DHT_LIMITS, type DhtLimits } from './traffic-limits.ts';

/** What is worth keeping over a restart. */
export interface SavedDht {
  readonly family: Family;
  /** 20 bytes. */
  readonly localId: Uint8Array;
  /** Nodes that were good, nearest last. */
  readonly contacts: readonly NodeContact[];
}

/** How it is set up. */
export interface DhtOptions {
  /** Those we have a socket for, at least one. */
  readonly families: readonly Family[];
  /** From the last time; families that are not here begin anew. */
  readonly saved: readonly SavedDht[];
  readonly isReadOnly: boolean;
  readonly limits?: DhtLimits;
}

/** For people and tests. */
export interface DhtStatus {
  readonly family: Family;
  readonly localId: Uint8Array;
  readonly nodeCount: number;
  readonly isBootstrapping: boolean;
  /** Our address as others see it; null while unknown. */
  readonly externalHost: string | null;
  /** Info-hashes others announced to us, and items they put. */
  readonly torrentCount: number;
  readonly itemCount: number;
}

/** A node of the DHT in one or both families. */
export class Dht {
  readonly #ports: DhtPorts;
  readonly #nodes: readonly DhtNode[];
  readonly #saved: readonly SavedDht[];

  constructor(ports: DhtPorts, options: DhtOptions, now: Instant) {
    const { families, saved, isReadOnly, limits = DHT_LIMITS } = options;
    assert(families.length > 0, 'a DHT node has an address family');
    this.#ports = ports;
    this.#saved = saved;
    this.#nodes = families.map((family): DhtNode => {
      const localId = saved.find((one) => one.family === family)?.localId ?? null;
      const other = (): DhtNode | null => this.#other(family);
      return new DhtNode(ports, { family, localId, limits, isReadOnly, other }, now);
    });
  }

  /** One entry per family. */
  status(): readonly DhtStatus[] {
    return this.#nodes.map((node) => ({
      family: node.family,
      localId: node.table.localId,
      nodeCount: node.table.size,
      isBootstrapping: node.isBootstrapping,
      externalHost: node.externalHost,
      torrentCount: node.peers.torrentCount,
      itemCount: node.items.size,
    }));
  }

  /** Whether we know somebody in any family. */
  get isReady(): boolean {
    return this.#nodes.some((node) => node.table.size > 0 && !node.isBootstrapping);
  }

  /**
   * Families in which we know fewer than eight nodes and are not looking: `bootstrap` is due. A few
   * nodes that know only each other would never find the rest.
   */
  get lonely(): readonly Family[] {
    const isLonely = ({ table, isBootstrapping }: DhtNode): boolean =>
      table.size < BUCKET_NODES && !isBootstrapping;
    return this.#nodes.filter(isLonely).map(({ family }) => family);
  }

  tick(now: Instant): void {
    for (const node of this.#nodes) node.tick(now);
  }

  /** A datagram came, over the socket of the family that `from` has. */
  onPacket(packet: Uint8Array, from: Endpoint, now: Instant): void {
    this.#nodeFor(from)?.onPacket(packet, from, now);
  }

  /** Joins: by the nodes saved the last time, and by these (routers, nodes of torrents). */
  bootstrap(entrances: readonly Endpoint[]): void {
    for (const node of this.#nodes) {
      const mine = entrances.filter((endpoint) => this.#nodeFor(endpoint) === node);
      const saved = this.#saved.find(({ family }) => family === node.family);
      if (mine.length > 0 || saved) node.bootstrap(mine, saved?.contacts ?? []);
    }
  }

  /** A node may be at this address (the PORT message of BEP 5): it is asked. */
  addNode(endpoint: Endpoint): void {
    const node = this.#nodeFor(endpoint);
    if (!node || node.table.has(endpoint)) return;
    if (node.table.size === 0) node.bootstrap([endpoint], []);
    else node.ping(endpoint);
  }

  /** Finds peers, and announces ourselves where `announce` says so. */
  findPeers(search: PeerSearch): void {
    const results: PeerSearchResult[] = [];
    const onDone = (result: PeerSearchResult): void => {
      results.push(result);
      if (results.length === this.#nodes.length) search.onDone(joined(results));
    };
    for (const node of this.#nodes) searchPeers(node, { ...search, onDone });
  }

  /** The item at a target, of a mutable one the newest; null when nobody has one. */
  getItem(name: ItemName, onDone: (item: DhtItem | null) => void): void {
    let openCount = this.#nodes.length;
    let best: DhtItem | null = null;
    for (const node of this.#nodes) {
      searchItem(node, this.#ports, {
        name,
        onDone: ({ item }) => {
          if (item && (!best || sequenceOf(item) > sequenceOf(best))) best = item;
          if (--openCount === 0) onDone(best);
        },
      });
    }
  }

  /** Stores an item where it belongs. To keep it alive, put it again every hour (BEP 44). */
  putItem(put: ItemPut): void {
    let openCount = this.#nodes.length;
    let storedCount = 0;
    const errorCodes: number[] = [];
    for (const node of this.#nodes) {
      putItem(node, this.#ports, {
        ...put,
        onDone: (result) => {
          storedCount += result.storedCount;
          errorCodes.push(...result.errorCodes);
          if (--openCount === 0) put.onDone({ storedCount, errorCodes });
        },
      });
    }
  }

  /** What to keep for the next start. */
  save(): readonly SavedDht[] {
    return this.#nodes.map(({ family, table }) => {
      const contacts = table.nodes().filter(({ failures }) => failures === 0);
      return { family, localId: table.localId, contacts: contacts.map(({ contact }) => contact) };
    });
  }

  #nodeFor({ host }: Endpoint): DhtNode | null {
    const family = host.includes(':') ? 6 : 4;
    return this.#nodes.find((node) => node.family === family) ?? null;
  }

  #other(family: Family): DhtNode | null {
    return this.#nodes.find((node) => node.family !== family) ?? null;
  }
}

function sequenceOf(item: DhtItem): bigint {
  return item.kind === 'mutable' ? item.sequence : 0n;
}

function joined(results: readonly PeerSearchResult[]): PeerSearchResult {
  const sum = (of: (result: PeerSearchResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const swarms = results.flatMap(({ swarm }) => swarm ?? []);
  return {
    peerCount: sum(({ peerCount }) => peerCount),
    storedCount: sum(({ storedCount }) => storedCount),
    askedCount: sum(({ askedCount }) => askedCount),
    hops: Math.max(...results.map(({ hops }) => hops)),
    swarm:
      swarms.length === 0
        ? null
        : {
            seeders: swarms.reduce((total, { seeders }) => total + seeders, 0),
            leechers: swarms.reduce((total, { leechers }) => total + leechers, 0),
          },
  };
}
