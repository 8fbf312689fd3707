/** Keeps one torrent announced: drives `TrackerClient` with real time and real trackers. */
import {
  TrackerClient,
  type TrackerEffect,
  type TrackerFailure,
  type TrackerStatus,
} from '../../discovery/index.ts';
import { AssertionFailure, assert, randomInt } from '../../units/index.ts';
import type {
  AnnounceReply,
  AnnounceRequest,
  Endpoint,
  ScrapeCounts,
  TrackerReply,
} from '../../wire/index.ts';
import type { TrackerAddresses } from './resolve-tracker.ts';
import { explainFailure, retryAfterOf } from './tracker-error.ts';
import type { TrackerTransport } from './tracker-transport.ts';

/** What trackers are told about the transfer, since this session began. */
export interface AnnounceStats {
  readonly uploadedBytes: number;
  /** What turned out to be bad is not counted. */
  readonly downloadedBytes: number;
  /** What was received and turned out to be bad; left out, nothing. */
  readonly corruptBytes?: number;
  /** 0 for a seeder; for a magnet link without metadata any positive number. */
  readonly leftBytes: number;
}

/** The torrent to announce. */
export interface AnnouncerTorrent {
  /** 20 bytes; of a v2-only torrent the first 20 of its hash (BEP 52). */
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  /** Where this torrent's peers are accepted. */
  readonly port: number;
  /** `announce-list`, or `announce` alone in one tier. */
  readonly tiers: readonly (readonly string[])[];
  /** BEP 27: one tracker at a time. */
  readonly isPrivate?: boolean;
  /** Peers asked for at a time. */
  readonly numWant?: number;
  readonly getStats: () => AnnounceStats;
  readonly onPeers: (peers: readonly Endpoint[], tracker: string) => void;
  /** Each change of a tracker; `message` is for the user. */
  readonly onStatus: (status: TrackerStatus) => void;
  /** Our address as a tracker sees it (BEP 24). Untrusted. */
  readonly onExternalIp?: (host: string) => void;
}

/** Peers asked for at a time when the torrent does not say: what libtorrent clients ask. */
const NUM_WANT_DEFAULT = 200;

/** How long `stop` waits for trackers to hear it. */
const STOP_WAIT_MS = 2000;

/** How long a scrape may take over all trackers tried, and how many those are. */
const SCRAPE_WAIT_MS = 20_000;
const SCRAPE_TRACKERS_MAX = 3;

/** The longest delay a timer can have. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Announces one torrent from `start` to `stop`. Make one per torrent. */
export class TrackerAnnouncer {
  readonly #transport: TrackerTransport;
  readonly #key: number;
  /** Announces under way by tracker; an outcome counts only while its controller is here. */
  readonly #inFlight = new Map<string, AbortController>();
  readonly #stopped: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #torrent: AnnouncerTorrent | null = null;
  #port = 0;
  #client: TrackerClient | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(transport: TrackerTransport) {
    this.#transport = transport;
    this.#key = randomInt(transport.random, 2 ** 32);
  }

  /** Begins to announce; returns at once. Callbacks come later, never from inside this call. */
  start(torrent: AnnouncerTorrent): void {
    assert(this.#torrent === null, 'an announcer starts once');
    this.#torrent = torrent;
    this.#port = torrent.port;
    const { random } = this.#transport;
    const { tiers, isPrivate = false } = torrent;
    const client = new TrackerClient({ tiers, isPrivate, random });
    this.#client = client;
    queueMicrotask(() => {
      if (this.#client === client) this.#perform(client.start(this.#transport.now()));
    });
  }

  /** The download finished in this session. */
  completed(): void {
    if (this.#client) this.#perform(this.#client.complete(this.#transport.now()));
  }

  /** Replaces the trackers: removed ones hear `stopped`, new ones `started`, at once. */
  replace(tiers: AnnouncerTorrent['tiers']): void {
    if (this.#client) this.#perform(this.#client.replace(tiers, this.#transport.now()));
  }

  /** The torrent turned out to be private (BEP 27): one tracker at a time. */
  becomePrivate(): void {
    if (this.#client) this.#perform(this.#client.becomePrivate(this.#transport.now()));
  }

  /** Asks for more peers as soon as the trackers' minimum interval allows. */
  wantPeers(): void {
    if (this.#client) this.#perform(this.#client.wantPeers(this.#transport.now()));
  }

  /** Peers reach us at another port now: trackers hear it as early as they allow. */
  moveTo(port: number): void {
    this.#port = port;
    this.wantPeers();
  }

  /**
   * Tells the trackers that we leave. Resolves when they have heard it, or failed, or after
   * 2 seconds; nothing is called back afterwards.
   */
  async stop(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    this.#perform(client.stop(this.#transport.now()));
    // Not unref'd: a process that ends by stopping must get to say so.
    const deadline = setTimeout(this.#stopped.resolve, STOP_WAIT_MS);
    await this.#stopped.promise;
    clearTimeout(deadline);
    clearTimeout(this.#timer);
    this.#client = null;
    for (const controller of this.#inFlight.values()) controller.abort();
    this.#inFlight.clear();
  }

  /** The swarm's numbers from the first tracker that tells them; null when none does. */
  async scrape(): Promise<ScrapeCounts | null> {
    const infoHash = this.#torrent?.infoHash;
    if (!infoHash) return null;
    const signal = AbortSignal.timeout(SCRAPE_WAIT_MS);
    for (const url of this.#client?.preferred.slice(0, SCRAPE_TRACKERS_MAX) ?? []) {
      try {
        const [target] = await this.#transport.resolve(url);
        if (!target) continue;
        const onLate = (): void => {};
        const outcome = await this.#transport.scrape({ url, target, onLate, signal }, infoHash);
        if (outcome.ok && outcome.reply) return outcome.reply;
      } catch {
        // A scrape is a courtesy: the next tracker may answer, and announces report failures.
      }
    }
    return null;
  }

  #perform(effects: readonly TrackerEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'announce':
          void this.#announce(effect);
          break;
        case 'cancel':
          this.#inFlight.get(effect.tracker)?.abort();
          this.#inFlight.delete(effect.tracker);
          break;
        case 'status':
          this.#torrent?.onStatus(effect.status);
          break;
        case 'stopped':
          this.#stopped.resolve();
          break;
      }
    }
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const wakeAt = this.#client?.wakeAt ?? null;
    if (wakeAt === null) return;
    const delayMs = Math.min(Math.max(0, wakeAt - this.#transport.now()), TIMER_MS_MAX);
    this.#timer = setTimeout(() => {
      if (this.#client) this.#perform(this.#client.onTimer(this.#transport.now()));
    }, Math.ceil(delayMs));
    // The sockets of peers keep a working process alive, not the wait for the next announce.
    this.#timer.unref();
  }

  async #announce(effect: Extract<TrackerEffect, { kind: 'announce' }>): Promise<void> {
    const { tracker, url } = effect;
    const controller = new AbortController();
    this.#inFlight.set(tracker, controller);
    try {
      const targets = await this.#transport.resolve(url);
      const announces = targets.map((target) => this.#announceTo(effect, target, controller));
      if (effect.event === 'stopped') await Promise.allSettled(announces);
      // Each family is its own announce (BEP 7); the tracker works if one of them does.
      await Promise.any(announces);
    } catch (error) {
      const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
      if (first instanceof AssertionFailure) throw first;
      const retryAfterMs = retryAfterOf(first);
      this.#fail(tracker, { reason: explainFailure(first), retryAfterMs }, controller);
    }
  }

  async #announceTo(
    effect: Extract<TrackerEffect, { kind: 'announce' }>,
    target: TrackerAddresses,
    controller: AbortController,
  ): Promise<void> {
    const { tracker, url, trackerId } = effect;
    const announce = this.#requestFor(effect);
    const outcome = await this.#transport.announce({
      url,
      target,
      trackerId,
      announce,
      onLate: (waitedMs) => {
        if (this.#inFlight.get(tracker) !== controller || !this.#client) return;
        this.#perform(this.#client.onLate(tracker, waitedMs, this.#transport.now()));
      },
      signal: controller.signal,
    });
    this.#take(tracker, outcome, controller);
    // We moved while this was under way.
    if (announce.port !== this.#port) this.wantPeers();
  }

  #requestFor({ event }: Extract<TrackerEffect, { kind: 'announce' }>): AnnounceRequest {
    const torrent = this.#torrent;
    assert(torrent, 'an announcer announces only what was started');
    const { infoHash, peerId, numWant = NUM_WANT_DEFAULT } = torrent;
    const wanted = event === 'stopped' ? 0 : numWant;
    return {
      infoHash,
      peerId,
      port: this.#port,
      event,
      key: this.#key,
      numWant: wanted,
      ...torrent.getStats(),
    };
  }

  #take(tracker: string, outcome: TrackerReply<AnnounceReply>, controller: AbortController): void {
    const client = this.#client;
    if (!client || controller.signal.aborted) return;
    if (outcome.ok) {
      const { peers, externalIp } = outcome.reply;
      if (externalIp !== null) this.#torrent?.onExternalIp?.(externalIp);
      if (peers.length > 0) this.#torrent?.onPeers(peers, tracker);
      if (this.#settles(tracker, controller)) {
        this.#perform(client.onReply(tracker, outcome.reply, this.#transport.now()));
      }
      return;
    }
    const { reason, retryInMinutes } = outcome.refusal;
    const retryAfterMs =
      typeof retryInMinutes === 'number' ? retryInMinutes * 60_000 : retryInMinutes;
    this.#fail(tracker, { reason: `refused: ${reason}`, retryAfterMs }, controller);
  }

  #fail(tracker: string, failure: TrackerFailure, controller: AbortController): void {
    if (!this.#client || !this.#settles(tracker, controller)) return;
    this.#perform(this.#client.onFailure(tracker, failure, this.#transport.now()));
  }

  /** Whether this outcome is the one awaited: the first of the newest announce. */
  #settles(tracker: string, controller: AbortController): boolean {
    if (this.#inFlight.get(tracker) !== controller) return false;
    this.#inFlight.delete(tracker);
    return true;
  }
}
