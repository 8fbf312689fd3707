/** Announces and scrapes over whichever protocol a tracker's URL names. */
import { performance } from 'node:perf_hooks';
import type { UdpQuestion } from '../../discovery/index.ts';
import { type Instant, instant, type Random, toHex } from '../../units/index.ts';
import {
  type AnnounceReply,
  type AnnounceRequest,
  announceUrl,
  parseAnnounceReply,
  parseScrapeReply,
  type ScrapeCounts,
  scrapeUrl,
  type TrackerReply,
  type TrackerUrl,
  type UdpReply,
} from '../../wire/index.ts';
import { DIRECT, type Egress } from '../egress/index.ts';
import { systemRandom } from '../system-random.ts';
import { type ResolveHost, resolveTracker, type TrackerAddresses } from './resolve-tracker.ts';
import { TrackerError } from './tracker-error.ts';
import { type TrackerBody, TrackerHttp } from './tracker-http.ts';
import { notCarried, TrackerUdp } from './tracker-udp.ts';

/** How trackers are asked. All have defaults. */
export interface TransportOptions {
  readonly userAgent?: string;
  /** The way out; a proxy that carries no UDP leaves UDP trackers unasked. */
  readonly egress?: Egress;
  readonly httpTimeoutMs?: number;
  readonly udpRetransmissionsMax?: number;
  readonly resolve?: ResolveHost;
  readonly now?: () => Instant;
  readonly random?: Random;
}

/** An announce to one tracker in one address family. */
export interface TransportAnnounce {
  readonly url: TrackerUrl;
  readonly target: TrackerAddresses;
  readonly announce: AnnounceRequest;
  readonly trackerId: string | null;
  readonly onLate: (waitedMs: number) => void;
  readonly signal: AbortSignal;
}

/** When an HTTP tracker counts as late: as long as UDP waits before asking again (BEP 15). */
const LATE_MS = 15_000;

/** The way to trackers, shared by all torrents of a worker. `close` it at the end. */
export class TrackerTransport {
  /** Monotonic. */
  readonly now: () => Instant;
  /** From the system's generator. */
  readonly random: Random;
  readonly #egress: Egress;
  readonly #resolve: ResolveHost;
  readonly #http: TrackerHttp;
  readonly #udp: TrackerUdp;

  constructor(options: TransportOptions = {}) {
    this.now = options.now ?? ((): Instant => instant(performance.now()));
    this.random = options.random ?? systemRandom;
    const egress = options.egress ?? DIRECT;
    this.#egress = egress;
    this.#resolve = options.resolve ?? ((host) => egress.resolve(host));
    this.#http = new TrackerHttp({
      userAgent: options.userAgent ?? 'Bidwidth',
      egress,
      resolve: this.#resolve,
      timeoutMs: options.httpTimeoutMs ?? 30_000,
    });
    this.#udp = new TrackerUdp({
      egress,
      now: this.now,
      random: this.random,
      retransmissionsMax: options.udpRetransmissionsMax ?? 2,
    });
  }

  /** Permitted addresses of a tracker by family; throws what `resolveTracker` throws. */
  async resolve(url: TrackerUrl): Promise<readonly TrackerAddresses[]> {
    if (url.scheme === 'udp' && !this.#egress.carriesUdp) throw notCarried();
    return resolveTracker(url, null, this.#resolve);
  }

  /** Announces once. Throws `TrackerError` or `WireError` when there is no readable answer. */
  async announce(ask: TransportAnnounce): Promise<TrackerReply<AnnounceReply>> {
    const { url, announce, trackerId } = ask;
    if (url.scheme !== 'udp') {
      const late = setTimeout(ask.onLate, LATE_MS, LATE_MS);
      try {
        const answer = await this.#get(announceUrl(url, announce, trackerId), ask);
        return readAnswer(answer, parseAnnounceReply);
      } finally {
        clearTimeout(late);
      }
    }
    const question: UdpQuestion = { kind: 'announce', announce, urlData: urlDataOf(url) };
    const reply = await this.#askUdp(question, ask);
    if (reply.action === 'error') return refused(reply.message);
    if (reply.action !== 'announce') throw unexpected();
    const { intervalSeconds, seeders, leechers, peers } = reply;
    const absent = { minIntervalSeconds: 0, warning: null, trackerId: null, externalIp: null };
    return { ok: true, reply: { intervalSeconds, seeders, leechers, peers, ...absent } };
  }

  /** Scrapes one torrent. Null when this tracker cannot be scraped or does not know it. */
  async scrape(
    ask: Omit<TransportAnnounce, 'announce' | 'trackerId'>,
    infoHash: Uint8Array,
  ): Promise<TrackerReply<ScrapeCounts | null>> {
    const { url } = ask;
    if (url.scheme !== 'udp') {
      const target = scrapeUrl(url, [infoHash]);
      if (target === null) return { ok: true, reply: null };
      const outcome = readAnswer(await this.#get(target, ask), parseScrapeReply);
      if (!outcome.ok) return outcome;
      return { ok: true, reply: outcome.reply.get(toHex(infoHash)) ?? null };
    }
    const reply = await this.#askUdp({ kind: 'scrape', infoHashes: [infoHash] }, ask);
    if (reply.action === 'error') return refused(reply.message);
    if (reply.action !== 'scrape') throw unexpected();
    return { ok: true, reply: reply.counts[0] ?? null };
  }

  close(): void {
    this.#udp.close();
  }

  #get(
    target: string,
    ask: Pick<TransportAnnounce, 'url' | 'target' | 'signal'>,
  ): Promise<TrackerBody> {
    const { url, signal } = ask;
    return this.#http.get({ url: target, userInfo: url.userInfo, target: ask.target, signal });
  }

  #askUdp(
    question: UdpQuestion,
    ask: Omit<TransportAnnounce, 'announce' | 'trackerId'>,
  ): Promise<UdpReply> {
    const { url, target, onLate, signal } = ask;
    const address = target.addresses[0] ?? '';
    const { family } = target;
    return this.#udp.ask({ address, family, port: url.port, question, onLate, signal });
  }
}

/** What BEP 41 sends along: nothing for the plain paths every tracker expects anyway. */
function urlDataOf({ path, query }: TrackerUrl): string {
  const isPlain = query === '' && (path === '' || path === '/' || path === '/announce');
  return isPlain ? '' : `${path}${query === '' ? '' : `?${query}`}`;
}

/** Reads the body; a tracker that answers 4xx may still say why in it. */
function readAnswer<T>(
  answer: TrackerBody,
  parse: (body: Uint8Array) => TrackerReply<T>,
): TrackerReply<T> {
  if (answer.status === 200) return parse(answer.body);
  const { retryAfterMs } = answer;
  const failure = new TrackerError(
    'TRACKER_FAILED',
    `answered HTTP ${answer.status}`,
    retryAfterMs === null ? {} : { retryAfterMs },
  );
  try {
    const outcome = parse(answer.body);
    if (!outcome.ok) return outcome;
  } catch {
    throw failure;
  }
  throw failure;
}

function refused(reason: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { reason, retryInMinutes: null } };
}

type Refusal = Extract<TrackerReply<never>, { ok: false }>['refusal'];

function unexpected(): TrackerError {
  return new TrackerError('TRACKER_FAILED', 'sent an answer to another question');
}
