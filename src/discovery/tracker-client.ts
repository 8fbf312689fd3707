/**
 * When to announce to which tracker of one torrent (BEP 3, 12, 27, 31): all tiers at once, in
 * each the first tracker that works. Pure: events and time in, effects out.
 */
import { assert, type Instant, instant, type Random } from '../units/index.ts';
import {
  type AnnounceEvent,
  type AnnounceReply,
  type TrackerUrl,
  trackerOrigin,
} from '../wire/index.ts';
import { backoffMs } from './backoff.ts';
import {
  buildTiers,
  moveToFront,
  newTracker,
  pickTracker,
  type Tracker,
  withoutSecrets,
} from './tracker-tiers.ts';

/** What the user is told about a tracker. */
export interface TrackerStatus {
  /** The tracker's URL as the torrent has it. */
  readonly tracker: string;
  readonly state: 'announcing' | 'working' | 'failing' | 'disabled';
  /** One plain line; null while nothing is wrong. */
  readonly message: string | null;
  readonly seeders: number | null;
  readonly leechers: number | null;
  /** Failures in a row. */
  readonly failures: number;
}

/** What the shell has to do. `tracker` is the URL as the torrent has it. */
export type TrackerEffect =
  | {
      readonly kind: 'announce';
      readonly tracker: string;
      readonly url: TrackerUrl;
      readonly event: AnnounceEvent;
      readonly trackerId: string | null;
    }
  /** Forget the announce under way: its reply will not be believed. */
  | { readonly kind: 'cancel'; readonly tracker: string }
  | { readonly kind: 'status'; readonly status: TrackerStatus }
  /** After `stop`: every tracker that should know has been told, or failed. */
  | { readonly kind: 'stopped' };

/** Why an announce failed. */
export interface TrackerFailure {
  /** The end of a sentence that begins with the tracker: `did not answer within 15 s`. */
  readonly reason: string;
  /** At least so long until the next try; `never` (BEP 31); null leaves it to us. */
  readonly retryAfterMs: number | 'never' | null;
}

/** How a client is set up. */
export interface TrackerClientOptions {
  /** `announce-list`, or `announce` alone in one tier. */
  readonly tiers: readonly (readonly string[])[];
  /** One tracker at a time over all tiers, the next only when it fails (BEP 27). */
  readonly isPrivate: boolean;
  readonly random: Random;
}

/** No tracker is asked more often than this, whatever it says. */
const INTERVAL_MS_MIN = 60_000;

/** And none less often: a tracker that says "in ten years" still hears from us daily. */
const INTERVAL_MS_MAX = 24 * 3_600_000;

/** The trackers of one torrent, from `start` to `stopped`. */
export class TrackerClient {
  readonly #options: TrackerClientOptions;
  #tiers: Tracker[][] = [];
  #unusable: readonly TrackerStatus[] = [];
  #isPrivate: boolean;
  /** Removed, and still to hear `stopped`. */
  readonly #leaving = new Set<Tracker>();
  #phase: 'new' | 'running' | 'stopping' | 'stopped' = 'new';

  constructor(options: TrackerClientOptions) {
    this.#options = options;
    this.#isPrivate = options.isPrivate;
    this.#read(options.tiers);
  }

  /** Whether a tracker's announce is under way and its answer is awaited. */
  isAwaiting(tracker: string): boolean {
    return this.#find(tracker).inFlight !== null;
  }

  /** Trackers that work first, then those never tried, in tier order: whom to scrape. */
  get preferred(): readonly TrackerUrl[] {
    const usable = this.#tiers.flat().filter((tracker) => !tracker.isDisabled);
    const rank = (tracker: Tracker): number =>
      tracker.failures > 0 ? 2 : tracker.isStarted ? 0 : 1;
    return usable.sort((a, b) => rank(a) - rank(b)).map((tracker) => tracker.url);
  }

  start(now: Instant): readonly TrackerEffect[] {
    assert(this.#phase === 'new', 'a tracker client starts once');
    this.#phase = 'running';
    return [...this.#sayUnusable(), ...this.onTimer(now)];
  }

  /**
   * Replaces the trackers, in force at once. Those that stay go on as they were; those that are
   * removed hear `stopped` where they may list us.
   */
  replace(tiers: TrackerClientOptions['tiers'], now: Instant): readonly TrackerEffect[] {
    const removed = new Map(this.#tiers.flat().map((tracker) => [tracker.name, tracker]));
    this.#read(tiers);
    this.#tiers = this.#tiers.map((tier) => {
      const kept = tier.map((fresh) => {
        const known = removed.get(fresh.name) ?? fresh;
        removed.delete(fresh.name);
        return known;
      });
      // What works stays in front (BEP 12).
      return kept.sort((a, b) => Number(isWorking(b)) - Number(isWorking(a)));
    });
    if (this.#phase !== 'running') return [];
    const goodbyes = [...removed.values()].flatMap((tracker) => this.#dismiss(tracker, now));
    return [...goodbyes, ...this.#sayUnusable(), ...this.onTimer(now)];
  }

  /**
   * The metadata came, and the torrent is private: from now on one tracker at a time. The others
   * that may list us hear `stopped`, and wait for their turn.
   */
  becomePrivate(now: Instant): readonly TrackerEffect[] {
    this.#isPrivate = true;
    const candidates = this.#tiers.flat().filter(mayListUs);
    return this.#leaveOthers(candidates.find(({ failures }) => failures === 0) ?? null, now);
  }

  /** Announces wherever it is time. */
  onTimer(now: Instant): readonly TrackerEffect[] {
    if (this.#phase !== 'running') return [];
    const effects: TrackerEffect[] = [];
    for (const tier of this.#tiers) {
      const { isServed, due } = pickTracker(tier, now);
      if (due) effects.push(...this.#announce(due, now));
      if (isServed && this.#isPrivate) break;
    }
    return effects;
  }

  /** When to call `onTimer` next; null when only an answer can change anything. */
  get wakeAt(): Instant | null {
    if (this.#phase !== 'running') return null;
    let earliest = Infinity;
    for (const tracker of this.#tiers.flat()) {
      if (tracker.inFlight === null && !tracker.isDisabled && Number.isFinite(tracker.nextAt)) {
        earliest = Math.min(earliest, tracker.nextAt);
      }
    }
    return earliest === Infinity ? null : instant(earliest);
  }

  /** The download finished in this session: trackers are told at once, each once. */
  complete(now: Instant): readonly TrackerEffect[] {
    for (const tracker of this.#tiers.flat()) {
      if (!tracker.isStarted && tracker.inFlight === null) continue;
      tracker.isCompletedPending = true;
      if (tracker.failures === 0) tracker.nextAt = now;
    }
    return this.onTimer(now);
  }

  /** More peers would be useful: announces as early as the tracker's minimum interval allows. */
  wantPeers(now: Instant): readonly TrackerEffect[] {
    for (const tracker of this.#tiers.flat()) {
      if (tracker.failures > 0 || !tracker.isStarted) continue;
      const earliest = tracker.lastAt + Math.max(tracker.minIntervalMs, INTERVAL_MS_MIN);
      tracker.nextAt = instant(Math.min(tracker.nextAt, earliest));
    }
    return this.onTimer(now);
  }

  /** An announce was answered. */
  onReply(name: string, reply: AnnounceReply, now: Instant): readonly TrackerEffect[] {
    const tracker = this.#find(name);
    const event = tracker.inFlight;
    if (event === null) return [];
    this.#settle(tracker);
    if (this.#leaving.delete(tracker)) return this.#stoppedWhenDone();
    tracker.failures = 0;
    tracker.isStarted = true;
    tracker.trackerId = reply.trackerId ?? tracker.trackerId;
    tracker.minIntervalMs = clampInterval(reply.minIntervalSeconds);
    const intervalMs = clampInterval(reply.intervalSeconds);
    tracker.nextAt = instant(now + Math.max(intervalMs, tracker.minIntervalMs));
    if (event === 'completed') tracker.isCompletedPending = false;
    if (tracker.isCompletedPending) tracker.nextAt = now;
    const tier = this.#tiers.find((candidate) => candidate.includes(tracker));
    if (tier) moveToFront(tier, tracker);
    const { seeders, leechers } = reply;
    const message = reply.warning === null ? null : explain(tracker, `warns: ${reply.warning}`);
    const status = { tracker: name, state: 'working', message, seeders, leechers } as const;
    const others = this.#isPrivate ? this.#leaveOthers(tracker, now) : [];
    return [
      { kind: 'status', status: { ...status, failures: 0 } },
      ...others,
      ...this.onTimer(now),
    ];
  }

  /** An announce failed. */
  onFailure(name: string, failure: TrackerFailure, now: Instant): readonly TrackerEffect[] {
    const tracker = this.#find(name);
    if (tracker.inFlight === null) return [];
    this.#settle(tracker);
    if (this.#leaving.delete(tracker)) return this.#stoppedWhenDone();
    tracker.failures++;
    const { retryAfterMs } = failure;
    tracker.isDisabled = retryAfterMs === 'never';
    const asked = typeof retryAfterMs === 'number' ? Math.min(retryAfterMs, INTERVAL_MS_MAX) : 0;
    const waitMs = Math.max(backoffMs(tracker.failures, this.#options.random), asked);
    tracker.nextAt = instant(now + waitMs);
    const state = tracker.isDisabled ? 'disabled' : 'failing';
    return [this.#trouble(tracker, state, failure.reason), ...this.onTimer(now)];
  }

  /** An answer takes long but may still come: says so, and lets the tier's next one try. */
  onLate(name: string, waitedMs: number, now: Instant): readonly TrackerEffect[] {
    const tracker = this.#find(name);
    if (tracker.inFlight === null || this.#leaving.has(tracker)) return [];
    tracker.isLate = true;
    const reason = `did not answer within ${Math.round(waitedMs / 1000)} s, still trying`;
    return [this.#trouble(tracker, 'failing', reason), ...this.onTimer(now)];
  }

  /** Tells every tracker that may list us that we leave. `stopped` follows, perhaps at once. */
  stop(now: Instant): readonly TrackerEffect[] {
    if (this.#phase === 'stopping' || this.#phase === 'stopped') return [];
    this.#phase = 'stopping';
    const goodbyes = this.#tiers.flat().flatMap((tracker) => this.#dismiss(tracker, now));
    return [...goodbyes, ...this.#stoppedWhenDone()];
  }

  /** Only one tracker lists us: the others begin anew when it is their turn. */
  #leaveOthers(kept: Tracker | null, now: Instant): readonly TrackerEffect[] {
    if (this.#phase !== 'running') return [];
    const effects: TrackerEffect[] = [];
    for (const tier of this.#tiers) {
      for (const [nth, tracker] of tier.entries()) {
        if (tracker === kept || tracker.isDisabled || !mayListUs(tracker)) continue;
        tier[nth] = newTracker(tracker.name, tracker.url);
        effects.push(...this.#dismiss(tracker, now));
      }
    }
    return effects;
  }

  /** Says goodbye to a tracker if it may list us. */
  #dismiss(tracker: Tracker, now: Instant): readonly TrackerEffect[] {
    const effects: TrackerEffect[] = [];
    const hasToHear = mayListUs(tracker) && !tracker.isDisabled;
    if (tracker.inFlight !== null) {
      this.#settle(tracker);
      effects.push({ kind: 'cancel', tracker: tracker.name });
    }
    if (!hasToHear) return effects;
    this.#leaving.add(tracker);
    return [...effects, ...this.#announce(tracker, now)];
  }

  #read(lists: TrackerClientOptions['tiers']): void {
    const { tiers, unusable } = buildTiers(lists, this.#options.random);
    this.#tiers = tiers;
    this.#unusable = unusable.map(({ name, message }) => ({
      ...{ tracker: name, state: 'disabled', message, seeders: null, leechers: null },
      failures: 0,
    }));
  }

  #sayUnusable(): readonly TrackerEffect[] {
    return this.#unusable.map((status) => ({ kind: 'status', status }) as const);
  }

  #announce(tracker: Tracker, now: Instant): readonly TrackerEffect[] {
    const event = this.#eventFor(tracker);
    tracker.inFlight = event;
    tracker.isLate = false;
    tracker.lastAt = now;
    const { name, url, trackerId, failures } = tracker;
    const announce = { kind: 'announce', tracker: name, url, event, trackerId } as const;
    if (event === 'stopped') return [announce];
    const quiet = { message: null, seeders: null, leechers: null, failures };
    const status = { tracker: name, state: 'announcing', ...quiet } as const;
    return [...this.#giveUpGoodbye(name), { kind: 'status', status }, announce];
  }

  #eventFor(tracker: Tracker): AnnounceEvent {
    if (this.#leaving.has(tracker)) return 'stopped';
    if (!tracker.isStarted) return 'started';
    return tracker.isCompletedPending ? 'completed' : 'none';
  }

  /** A tracker comes back while its `stopped` is under way. */
  #giveUpGoodbye(name: string): readonly TrackerEffect[] {
    for (const tracker of this.#leaving) {
      if (tracker.name !== name) continue;
      this.#leaving.delete(tracker);
      return [{ kind: 'cancel', tracker: name }];
    }
    return [];
  }

  #trouble(tracker: Tracker, state: 'failing' | 'disabled', reason: string): TrackerEffect {
    const message = explain(tracker, reason);
    const { name, failures } = tracker;
    const unknown = { seeders: null, leechers: null };
    return { kind: 'status', status: { tracker: name, state, message, ...unknown, failures } };
  }

  #settle(tracker: Tracker): void {
    tracker.inFlight = null;
    tracker.isLate = false;
  }

  #stoppedWhenDone(): readonly TrackerEffect[] {
    if (this.#phase !== 'stopping' || this.#leaving.size > 0) return [];
    this.#phase = 'stopped';
    return [{ kind: 'stopped' }];
  }

  #find(name: string): Tracker {
    // One that leaves is meant first: its successor of the same name is not in flight.
    const all = [...this.#leaving, ...this.#tiers.flat()];
    const tracker = all.find((candidate) => candidate.name === name);
    assert(tracker, `no tracker '${name}'`);
    return tracker;
  }
}

/** One plain line about a tracker. */
function explain({ url }: Tracker, reason: string): string {
  return `tracker ${trackerOrigin(url)} ${withoutSecrets(reason, url)}`;
}

/** Whether it has heard of us, or may have. */
function mayListUs(tracker: Tracker): boolean {
  return tracker.isStarted || tracker.inFlight !== null;
}

function isWorking(tracker: Tracker): boolean {
  return tracker.isStarted && tracker.failures === 0;
}

function clampInterval(seconds: number): number {
  return Math.min(Math.max(seconds * 1000, INTERVAL_MS_MIN), INTERVAL_MS_MAX);
}
