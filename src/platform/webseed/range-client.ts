/** Parts of files over HTTP: pinned addresses, guarded redirects, checked ranges. */
import { isIP } from 'node:net';
import { type Dispatcher, request } from 'undici';
import { refusalOfWebSeed } from '../../discovery/index.ts';
import { unbracketed } from '../../units/index.ts';
import { DIRECT, type Egress } from '../egress/index.ts';
import { webAgent } from '../egress/web-agent.ts';
import {
  allowedAddresses,
  type ResolveHost,
  type TrackerAddresses,
} from '../tracker/resolve-tracker.ts';
import { WebSeedError } from './web-seed-error.ts';

/** A part of a file to fetch. */
export interface RangeAsk {
  readonly url: string;
  /** First byte. */
  readonly position: number;
  readonly length: number;
  /** Of the whole file: a server that says otherwise has another one. */
  readonly fileBytes: number;
}

/** An answer being received. */
export interface RangeAnswer {
  /** The server ignores ranges: what comes is the file from its first byte on. */
  readonly isWhole: boolean;
  /** Ends early, or gives more than asked, when the server lies. */
  readonly body: Dispatcher.ResponseData['body'];
}

/** How web seeds are reached. */
export interface RangeClientOptions {
  readonly userAgent: string;
  readonly resolve: ResolveHost;
  /** The way out; left out, no proxy and no address in particular. */
  readonly egress?: Egress;
  /** Makes connections to addresses that were checked; `webAgent` when left out. */
  readonly agentFor?: (target: TrackerAddresses) => Dispatcher;
}

/** Where a request goes. */
interface Hop {
  readonly url: URL;
  readonly userInfo: string;
  /** Address of the server that sent us here. */
  readonly redirectedFrom: string | null;
}

/** A server reached before. */
interface Origin {
  readonly agent: Dispatcher;
  /** For a proxy the host's name. */
  readonly address: string;
}

const REDIRECTS_MAX = 5;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Servers one web seed may send us to; beyond, the connections of all are closed. */
const ORIGINS_MAX = 8;
const CONNECT_MS = 10_000;
/** A server that sends nothing for so long is given up. */
const SILENCE_MS = 30_000;

/** The way to one web seed. `close` it at the end. */
export class RangeClient {
  readonly #options: RangeClientOptions;
  /** By origin, so that the address checked is the address used. */
  readonly #origins = new Map<string, Origin>();

  constructor(options: RangeClientOptions) {
    this.#options = options;
  }

  /** Asks for a range, following redirects. Throws `WebSeedError` or what the network throws. */
  async get(ask: RangeAsk, signal: AbortSignal): Promise<RangeAnswer> {
    const given = new URL(ask.url);
    const userInfo = given.username === '' ? '' : `${given.username}:${given.password}`;
    let hop: Hop = { url: given, userInfo, redirectedFrom: null };
    for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
      const origin = await this.#reach(hop);
      const response = await request(bare(hop.url), {
        dispatcher: origin.agent,
        signal,
        headers: this.#headers(hop, ask),
        headersTimeout: SILENCE_MS,
        bodyTimeout: SILENCE_MS,
      });
      const { location } = response.headers;
      if (!REDIRECT_STATUSES.has(response.statusCode) || typeof location !== 'string') {
        return readAnswer(response, ask);
      }
      response.body.on('error', () => {}).destroy();
      hop = redirected(hop, location, origin.address);
    }
    throw new WebSeedError('WEB_SEED_FAILED', `redirects more than ${REDIRECTS_MAX} times`);
  }

  close(): void {
    for (const { agent } of this.#origins.values()) void agent.destroy();
    this.#origins.clear();
  }

  /** An agent whose connections go to addresses that were checked, and nowhere else. */
  async #reach({ url, redirectedFrom }: Hop): Promise<Origin> {
    const host = unbracketed(url.hostname);
    const known = this.#origins.get(url.origin);
    const found = await this.#addressesOf(known?.address ?? host, known !== undefined);
    const hasQuery = url.search !== '';
    const judge = (address: string | null): string | null =>
      refusalOfWebSeed({ address, hasQuery, redirectedFrom });
    const allowed = allowedAddresses({ host, found }, judge);
    if (!allowed.ok) throw new WebSeedError('WEB_SEED_FORBIDDEN', allowed.refusal);
    if (known) return known;
    const [target] = allowed.targets;
    const address = target?.addresses[0];
    if (!target || address === undefined) {
      throw new WebSeedError('WEB_SEED_FAILED', 'has a host name without an address');
    }
    if (this.#origins.size >= ORIGINS_MAX) this.close();
    const { egress = DIRECT, agentFor } = this.#options;
    const agent = agentFor?.(target) ?? webAgent(egress, target, { connectMs: CONNECT_MS });
    const origin = { agent, address };
    this.#origins.set(url.origin, origin);
    return origin;
  }

  async #addressesOf(host: string, isKnown: boolean): Promise<readonly string[] | null> {
    if (isIP(host) !== 0) return [host];
    // A name that was kept was left to a proxy, and still is.
    return isKnown ? null : this.#options.resolve(host);
  }

  #headers(hop: Hop, { position, length }: RangeAsk): Record<string, string> {
    const headers = {
      'user-agent': this.#options.userAgent,
      range: `bytes=${position}-${position + length - 1}`,
      // A compressed answer would have other offsets.
      'accept-encoding': 'identity',
    };
    if (hop.userInfo === '') return headers;
    const plain = Buffer.from(decodeURIComponent(hop.userInfo)).toString('base64');
    return { ...headers, authorization: `Basic ${plain}` };
  }
}

/** Judges status and `Content-Range`; the body of a refusal is not read. */
function readAnswer(response: Dispatcher.ResponseData, ask: RangeAsk): RangeAnswer {
  const { statusCode, body, headers } = response;
  const failure = failureOf(statusCode, headers, ask);
  if (failure === null) return { isWhole: statusCode === 200, body };
  body.on('error', () => {}).destroy();
  throw new WebSeedError('WEB_SEED_FAILED', failure, { status: statusCode });
}

function failureOf(
  status: number,
  headers: Dispatcher.ResponseData['headers'],
  ask: RangeAsk,
): string | null {
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return 'compresses files';
  if (status === 200) {
    const length = Number(headers['content-length'] ?? ask.fileBytes);
    return length === ask.fileBytes ? null : `has a file of ${length} bytes, not ${ask.fileBytes}`;
  }
  if (status === 416) return 'has a shorter file';
  if (status === 404 || status === 410) return 'does not have the file';
  if (status !== 206) return `answered HTTP ${status}`;
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(String(headers['content-range'] ?? ''));
  if (!range) return 'sent a part of a file without saying which';
  if (range[3] !== '*' && Number(range[3]) !== ask.fileBytes) {
    return `has a file of ${range[3]} bytes, not ${ask.fileBytes}`;
  }
  const last = ask.position + ask.length - 1;
  const isRight = Number(range[1]) === ask.position && Number(range[2]) === last;
  return isRight ? null : 'sent another part of the file than was asked for';
}

function redirected(hop: Hop, location: string, address: string): Hop {
  const url = URL.canParse(location, hop.url.href) ? new URL(location, hop.url.href) : null;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new WebSeedError('WEB_SEED_FORBIDDEN', 'redirects to something that is not a web URL');
  }
  if (hop.url.protocol === 'https:' && url.protocol !== 'https:') {
    throw new WebSeedError('WEB_SEED_FORBIDDEN', 'redirects from https to plain http');
  }
  // What logs us in at one server is no business of another.
  const userInfo = url.origin === hop.url.origin ? hop.userInfo : '';
  return { url, userInfo, redirectedFrom: address };
}

/** The URL without who we are: that goes in a header. */
function bare(url: URL): string {
  return `${url.origin}${url.pathname}${url.search}`;
}
