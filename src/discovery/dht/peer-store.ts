/** The peers others announced to us, by info-hash (BEP 5, 33, 51). */
import { fromHex, type Instant, type Random, shuffle, toHex } from '../../units/index.ts';
import {
  addToBloomFilter,
  BLOOM_FILTER_BYTES,
  type Endpoint,
  type InfoHashSamples,
  parseIp,
  type Sha1,
} from '../../wire/index.ts';

/** Info-hashes kept (libtorrent's default). */
const TORRENTS_MAX = 2000;

/** Peers kept of one. */
const PEERS_MAX = 500;

/** An announce counts for so long: clients repeat it every 15 minutes or so. */
const PEER_MS = 30 * 60_000;

/** Info-hashes in one sample. */
const SAMPLES_MAX = 20;

/** A sample is drawn anew so often, whoever asks: asking more gives nothing more (BEP 51). */
const SAMPLE_MS = 5 * 60_000;

interface StoredPeer {
  readonly port: number;
  readonly isSeed: boolean;
  readonly until: number;
}

/** What to look for. */
export interface PeerWish {
  readonly infoHash: Uint8Array;
  readonly countMax: number;
  readonly noSeeds: boolean;
}

/** The bloom filters of one swarm (BEP 33). */
export interface SwarmFilters {
  readonly seedFilter: Uint8Array;
  readonly peerFilter: Uint8Array;
}

/** Announced peers: one per address and info-hash (BEP 33), each for half an hour. */
export class PeerStore {
  readonly #torrents = new Map<string, Map<string, StoredPeer>>();
  readonly #random: Random;
  #sample: { readonly infoHashes: readonly Uint8Array[]; readonly until: number } | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  get torrentCount(): number {
    return this.#torrents.size;
  }

  /** False when we hold so many peers of this torrent that we take no more. */
  isOpenTo(infoHash: Uint8Array): boolean {
    return (this.#torrents.get(toHex(infoHash))?.size ?? 0) < PEERS_MAX;
  }

  add(infoHash: Uint8Array, peer: Endpoint & { readonly isSeed: boolean }, now: Instant): void {
    const key = toHex(infoHash);
    let peers = this.#torrents.get(key);
    if (!peers) {
      if (this.#torrents.size >= TORRENTS_MAX) this.#dropSmallest();
      peers = new Map();
      this.#torrents.set(key, peers);
    }
    if (peers.size >= PEERS_MAX && !peers.has(peer.host)) return;
    // Put at the end again: the map is in the order of expiry.
    peers.delete(peer.host);
    peers.set(peer.host, { port: peer.port, isSeed: peer.isSeed, until: now + PEER_MS });
  }

  /** Some peers, drawn at random. */
  pick({ infoHash, countMax, noSeeds }: PeerWish): readonly Endpoint[] {
    const peers = [...(this.#torrents.get(toHex(infoHash)) ?? [])];
    const fit = noSeeds ? peers.filter(([, peer]) => !peer.isSeed) : peers;
    return shuffle(fit, this.#random)
      .slice(0, countMax)
      .map(([host, { port }]) => ({ host, port }));
  }

  /** The swarm as filters; null when we know nobody in it. */
  filters(infoHash: Uint8Array, sha1: Sha1): SwarmFilters | null {
    const peers = this.#torrents.get(toHex(infoHash));
    if (!peers) return null;
    const seedFilter = new Uint8Array(BLOOM_FILTER_BYTES);
    const peerFilter = new Uint8Array(BLOOM_FILTER_BYTES);
    for (const [host, { isSeed }] of peers) {
      const ip = parseIp(host);
      if (ip) addToBloomFilter(isSeed ? seedFilter : peerFilter, ip, sha1);
    }
    return { seedFilter, peerFilter };
  }

  /** Some info-hashes, the same ones for five minutes. */
  sample(now: Instant): InfoHashSamples {
    if (!this.#sample || now >= this.#sample.until) {
      const keys = shuffle([...this.#torrents.keys()], this.#random).slice(0, SAMPLES_MAX);
      this.#sample = { infoHashes: keys.map(fromHex), until: now + SAMPLE_MS };
    }
    const { infoHashes, until } = this.#sample;
    const intervalSeconds = Math.ceil((until - now) / 1000);
    return { infoHashes, totalCount: this.#torrents.size, intervalSeconds };
  }

  expire(now: Instant): void {
    for (const [key, peers] of this.#torrents) {
      for (const [host, { until }] of peers) {
        if (until > now) break;
        peers.delete(host);
      }
      if (peers.size === 0) this.#torrents.delete(key);
    }
  }

  /** Makes room: a flood of invented info-hashes displaces itself, not a swarm in use. */
  #dropSmallest(): void {
    let smallest: string | null = null;
    let size = Number.POSITIVE_INFINITY;
    for (const [key, peers] of this.#torrents) {
      if (peers.size < size) [smallest, size] = [key, peers.size];
      if (size === 1) break;
    }
    if (smallest !== null) this.#torrents.delete(smallest);
  }
}
