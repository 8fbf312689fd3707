/** A tracker's answers to HTTP requests and UDP datagrams. Pure: bytes and time in, bytes out. */
import type { Instant } from '../units/index.ts';
import {
  type AnnounceRequest,
  decodeUdpRequest,
  encodeAnnounceReply,
  encodeRefusal,
  encodeScrapeReply,
  encodeUdpReply,
  type Family,
  parseAnnounceQuery,
  parseScrapeQuery,
  type UdpReply,
  type UdpRequest,
  WireError,
} from '../wire/index.ts';
import { AnnounceTable, type TableDependencies } from './announce-table.ts';
import { ConnectionIds, type Mac } from './connection-ids.ts';
import { TABLE_DEFAULTS, type TableOptions } from './table-options.ts';

/** What a tracker needs from outside. */
export interface TrackerDependencies extends TableDependencies {
  /** Keyed with a secret that changes with every start. */
  readonly mac: Mac;
}

/** An HTTP request as the tracker sees it. */
export interface TrackerHttpRequest {
  readonly path: string;
  /** Raw: decoding it as text would destroy the info-hash. */
  readonly query: string;
  /** Literal source address. */
  readonly host: string;
}

/** The answer; 200 also for refusals, which clients read from the body (BEP 3). */
export interface TrackerHttpAnswer {
  readonly status: 200 | 404;
  readonly contentType: 'text/plain' | 'application/json';
  readonly body: Uint8Array | string;
}

/** A datagram with its source. */
export interface TrackerDatagram {
  readonly view: Uint8Array;
  readonly host: string;
  readonly family: Family;
}

/** Counters since start, and sizes now. */
export interface TrackerStats {
  readonly swarms: number;
  readonly peers: number;
  readonly announces: number;
  readonly scrapes: number;
  readonly refusals: number;
  /** Requests that could not be read, and datagrams with a foreign connection id. */
  readonly malformed: number;
}

/** Peers in one UDP reply over IPv6: 20 + 18 × 67 bytes stay in one 1,280-byte packet. */
const UDP_V6_PEERS_MAX = 67;

/** The tracker. Its shell carries bytes, tells the time and calls `expire` every minute. */
export class TrackerService {
  readonly #table: AnnounceTable;
  readonly #connectionIds: ConnectionIds;
  readonly #options: TableOptions;
  readonly #counters = { announces: 0, scrapes: 0, refusals: 0, malformed: 0 };

  constructor(dependencies: TrackerDependencies, options: Partial<TableOptions> = {}) {
    this.#options = { ...TABLE_DEFAULTS, ...options };
    this.#table = new AnnounceTable(dependencies, this.#options);
    this.#connectionIds = new ConnectionIds(dependencies.mac);
  }

  stats(): TrackerStats {
    return { ...this.#table.totals, ...this.#counters };
  }

  /** Forgets what is too old. */
  expire(now: Instant): void {
    this.#table.expire(now);
  }

  /** Answers `/announce`, `/scrape` and `/stats`. */
  http(request: TrackerHttpRequest, now: Instant): TrackerHttpAnswer {
    try {
      switch (request.path) {
        case '/announce':
          return bencoded(this.#httpAnnounce(request, now));
        case '/scrape':
          return bencoded(this.#httpScrape(request, now));
        case '/stats': {
          const body = JSON.stringify(this.stats());
          return { status: 200, contentType: 'application/json', body };
        }
        default: {
          const body = 'This is a BitTorrent tracker: announce to /announce.\n';
          return { status: 404, contentType: 'text/plain', body };
        }
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#counters.malformed++;
      return bencoded(encodeRefusal({ reason: error.message, retryInMinutes: null }));
    }
  }

  /**
   * Answers a datagram, or null where silence is right: to what is malformed, and to anything
   * but a connect request from an address not yet proven. No answer to an unproven address is
   * longer than what it sent, so the tracker cannot be used to amplify a flood.
   */
  udp(datagram: TrackerDatagram, now: Instant): Uint8Array | null {
    const request = readRequest(datagram.view);
    if (request?.action === 'connect') {
      const connectionId = this.#connectionIds.issue(datagram.host, now);
      const { transactionId } = request;
      return encodeUdpReply({ action: 'connect', transactionId, connectionId }, datagram.family);
    }
    if (!request || !this.#connectionIds.isValid(request.connectionId, datagram.host, now)) {
      this.#counters.malformed++;
      return null;
    }
    const reply = this.#udpReply(request, datagram, now);
    return encodeUdpReply(reply, datagram.family);
  }

  #httpAnnounce({ query, host }: TrackerHttpRequest, now: Instant): Uint8Array {
    const { announce, isCompact } = parseAnnounceQuery(query);
    const outcome = this.#announce({ request: announce, host, wantsBothFamilies: true }, now);
    if (!outcome.ok) {
      return encodeRefusal({ reason: outcome.refusal, retryInMinutes: null });
    }
    const { intervalSeconds, minIntervalSeconds } = this.#options;
    const { counts, peers } = outcome;
    const answer = { intervalSeconds, minIntervalSeconds, counts, peers, externalIp: host };
    return encodeAnnounceReply(answer, isCompact);
  }

  #httpScrape({ query }: TrackerHttpRequest, now: Instant): Uint8Array {
    const hashes = parseScrapeQuery(query);
    if (hashes.length === 0) {
      // A full scrape would list every torrent to anybody.
      return encodeRefusal({ reason: 'scrape needs an info_hash', retryInMinutes: null });
    }
    this.#counters.scrapes++;
    return encodeScrapeReply(hashes.map((hash) => [hash, this.#table.scrape(hash, now)]));
  }

  #udpReply(
    request: Exclude<UdpRequest, { action: 'connect' }>,
    datagram: TrackerDatagram,
    now: Instant,
  ): UdpReply {
    const { transactionId } = request;
    if (request.action === 'scrape') {
      this.#counters.scrapes++;
      const counts = request.infoHashes.map((hash) => this.#table.scrape(hash, now));
      return { action: 'scrape', transactionId, counts };
    }
    const { host, family } = datagram;
    const announce = family === 6 ? fewerPeers(request.announce) : request.announce;
    const outcome = this.#announce({ request: announce, host, wantsBothFamilies: false }, now);
    if (!outcome.ok) return { action: 'error', transactionId, message: outcome.refusal };
    const { leechers, seeders } = outcome.counts;
    const { intervalSeconds } = this.#options;
    const { peers } = outcome;
    return { action: 'announce', transactionId, intervalSeconds, leechers, seeders, peers };
  }

  #announce(
    announce: Parameters<AnnounceTable['announce']>[0],
    now: Instant,
  ): ReturnType<AnnounceTable['announce']> {
    this.#counters.announces++;
    const outcome = this.#table.announce(announce, now);
    if (!outcome.ok) this.#counters.refusals++;
    return outcome;
  }
}

function readRequest(view: Uint8Array): UdpRequest | null {
  try {
    return decodeUdpRequest(view);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

function fewerPeers(announce: AnnounceRequest): AnnounceRequest {
  return announce.numWant > UDP_V6_PEERS_MAX
    ? { ...announce, numWant: UDP_V6_PEERS_MAX }
    : announce;
}

function bencoded(body: Uint8Array): TrackerHttpAnswer {
  return { status: 200, contentType: 'text/plain', body };
}
