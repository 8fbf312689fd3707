/** HTTP requests to trackers: pinned addresses, bounded replies, guarded redirects. */
import { isIP } from 'node:net';
import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib';
import { type Dispatcher, request } from 'undici';
import { unbracketed } from '../../units/index.ts';
import { formatTrackerUrl, parseTrackerUrl, TRACKER_REPLY_BYTES_MAX } from '../../wire/index.ts';
import type { Egress } from '../egress/index.ts';
import { webAgent } from '../egress/web-agent.ts';
import { type ResolveHost, resolveTracker, type TrackerAddresses } from './resolve-tracker.ts';
import { explainFailure, TrackerError } from './tracker-error.ts';

/** One request. */
export interface TrackerGet {
  /** Scheme, host, path and query; raw bytes already percent-encoded. */
  readonly url: string;
  /** `user:password`, percent-encoded, or empty. */
  readonly userInfo: string;
  /** Where `url`'s host may be reached, from `resolveTracker`. */
  readonly target: TrackerAddresses;
  readonly signal: AbortSignal;
}

/** How requests are made. */
export interface TrackerHttpOptions {
  readonly userAgent: string;
  readonly egress: Egress;
  readonly resolve: ResolveHost;
  /** For everything from connecting to the last byte, redirects included. */
  readonly timeoutMs: number;
}

/** As other clients have it: enough for http → https and a moved path. */
const REDIRECTS_MAX = 5;

const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A reply's body, with the status for those that are not 200. */
export interface TrackerBody {
  readonly status: number;
  readonly body: Uint8Array;
  /** From `Retry-After`; null when absent. */
  readonly retryAfterMs: number | null;
}

/** HTTP to trackers. Keeps no connections: announces are half an hour apart. */
export class TrackerHttp {
  readonly #options: TrackerHttpOptions;

  constructor(options: TrackerHttpOptions) {
    this.#options = options;
  }

  /** Fetches, following redirects. Throws `TrackerError` with the reason in words. */
  async get(get: TrackerGet): Promise<TrackerBody> {
    const { timeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([timeout, get.signal]);
    try {
      return await this.#follow({ ...get, signal }, REDIRECTS_MAX);
    } catch (error) {
      const reason = timeout.aborted
        ? `did not answer within ${Math.round(timeoutMs / 1000)} s`
        : explainFailure(error);
      if (error instanceof TrackerError && !timeout.aborted) throw error;
      throw new TrackerError('TRACKER_FAILED', reason, {}, { cause: error });
    }
  }

  async #follow(get: TrackerGet, redirectsLeft: number): Promise<TrackerBody> {
    checkLiteral(get);
    // A new agent for each hop, because it connects only to the addresses just checked.
    const agent = webAgent(this.#options.egress, get.target, {
      connectMs: this.#options.timeoutMs,
      maxResponseSize: TRACKER_REPLY_BYTES_MAX,
    });
    try {
      const response = await request(get.url, {
        dispatcher: agent,
        signal: get.signal,
        headers: this.#headers(get.userInfo),
      });
      // Whoever reads it hears errors as well; those that nobody hears would end the process.
      response.body.on('error', () => {});
      const { location } = response.headers;
      if (!REDIRECT_STATUSES.has(response.statusCode) || typeof location !== 'string') {
        return await readBody(response);
      }
      await response.body.dump();
      if (redirectsLeft === 0) {
        throw new TrackerError('TRACKER_FAILED', `redirects more than ${REDIRECTS_MAX} times`);
      }
      return await this.#follow(await this.#redirect(get, location), redirectsLeft - 1);
    } finally {
      await agent.destroy();
    }
  }

  async #redirect(get: TrackerGet, location: string): Promise<TrackerGet> {
    const from = new URL(get.url);
    const to = URL.canParse(location, get.url) ? new URL(location, get.url) : null;
    const parsed = to ? parseTrackerUrl(to.href) : null;
    if (!to || !parsed || parsed.scheme === 'udp') {
      throw new TrackerError('TRACKER_FORBIDDEN', 'redirects to something that is not a web URL');
    }
    if (from.protocol === 'https:' && parsed.scheme !== 'https') {
      throw new TrackerError('TRACKER_FORBIDDEN', 'redirects from https to plain http');
    }
    // The target repeats our own query, so only its host and path are judged.
    const judged = { ...parsed, query: '' };
    const redirectedFrom = get.target.addresses[0] ?? null;
    const targets = await resolveTracker(judged, redirectedFrom, this.#options.resolve);
    const target = targets.find(({ family }) => family === get.target.family) ?? targets[0];
    if (!target) throw new TrackerError('TRACKER_FAILED', 'redirects to a host without address');
    const userInfo = from.origin === to.origin ? get.userInfo : '';
    return { ...get, url: formatTrackerUrl(parsed), userInfo, target };
  }

  #headers(userInfo: string): Record<string, string> {
    const headers = { 'user-agent': this.#options.userAgent, 'accept-encoding': 'gzip' };
    if (userInfo === '') return headers;
    const plain = Buffer.from(decodeUserInfo(userInfo)).toString('base64');
    return { ...headers, authorization: `Basic ${plain}` };
  }
}

/**
 * `127.1` is a name to the check but an address to the URL parser, which then asks no lookup:
 * such an address must be one of those checked.
 */
function checkLiteral({ url, target }: TrackerGet): void {
  const host = unbracketed(new URL(url).hostname);
  if (isIP(host) !== 0 && !target.addresses.includes(host)) {
    throw new TrackerError('TRACKER_FORBIDDEN', `is not asked: ${host} was not checked`);
  }
}

function decodeUserInfo(userInfo: string): string {
  try {
    return decodeURIComponent(userInfo);
  } catch {
    return userInfo;
  }
}

async function readBody(response: Dispatcher.ResponseData): Promise<TrackerBody> {
  const { body, headers } = response;
  // Heard by nobody when packed data end before the body does, and the connection is cut.
  const unpack = unpackerOf(headers['content-encoding'])?.on('error', () => {});
  if (unpack) body.on('error', (error) => unpack.destroy(error));
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of unpack ? body.pipe(unpack) : body) {
    const view: Uint8Array = chunk;
    length += view.length;
    // Counted after unpacking: a few bytes of gzip can hold gigabytes.
    if (length > TRACKER_REPLY_BYTES_MAX) {
      throw new TrackerError('TRACKER_FAILED', 'sent an answer of more than 2 MiB');
    }
    chunks.push(view);
  }
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return {
    status: response.statusCode,
    body: new Uint8Array(Buffer.concat(chunks)),
    retryAfterMs: seconds > 0 ? seconds * 1000 : null,
  };
}

function unpackerOf(encoding: unknown): Gunzip | Inflate | null {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip();
  return encoding === 'deflate' ? createInflate() : null;
}
