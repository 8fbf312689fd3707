/** Complete torrents that nobody asks for: their name and their announces are all that is kept. */
import { fromHex, toHex } from '../../units/index.ts';
import { Announcing, type AnnouncingDeps } from './announcing.ts';
import type { SleepingTorrent } from './messages.ts';

/** A torrent that was called is not called again for so long. */
const CALL_AGAIN_MS = 10_000;
/** Announces begun per `STEP_MS`, so that ten thousand torrents do not all begin at once. */
const STARTS_PER_STEP = 10;
const STEP_MS = 100;
/** Goodbyes said to trackers at a time, and how long all of them together may take. */
const GOODBYES_AT_ONCE = 50;
const GOODBYES_MS = 5_000;

interface Sleeper {
  /** Null when there is nowhere to announce. */
  announcing: Announcing | null;
  readonly isPrivate: boolean;
  /** A hybrid's other name; peers may come by either. */
  readonly otherName: string | null;
  calledAt: number;
}

/** What sleepers need; per torrent, by its key. */
export interface SleepersDeps {
  readonly depsFor: (torrent: string) => AnnouncingDeps;
  /** A peer wants it. */
  readonly call: (torrent: string) => void;
  /** Peers may ask for it from now on, or may not any more. */
  readonly expect: (torrent: string, isExpected: boolean) => void;
}

/** All torrents of a loop that are asleep. */
export class Sleepers {
  readonly #deps: SleepersDeps;
  readonly #sleepers = new Map<string, Sleeper>();
  /** Other name of a hybrid → the name that it goes by. */
  readonly #otherNames = new Map<string, string>();
  #starting: Announcing[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(deps: SleepersDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#sleepers.size;
  }

  has(torrent: string): boolean {
    return this.#sleepers.has(torrent);
  }

  /** Registers torrents; those that are announced anywhere begin one after another. */
  add(torrents: readonly SleepingTorrent[]): void {
    for (const { torrent, trackers, isPrivate, otherName = null } of torrents) {
      let announcing: Announcing | null = null;
      const deps = this.#deps.depsFor(torrent);
      if (trackers.length > 0 || (deps.dht && !isPrivate)) {
        announcing = announcingOf({ torrent, trackers, isPrivate, otherName }, deps);
        this.#starting.push(announcing);
      }
      this.#put(torrent, { announcing, isPrivate, otherName });
    }
    if (this.#starting.length > 0) this.#timer ??= setInterval(() => this.#startSome(), STEP_MS);
  }

  /** A torrent falls asleep; its announces go on. */
  lay(torrent: string, announcing: Announcing): void {
    const { isPrivate, otherHash } = announcing;
    this.#put(torrent, { announcing, isPrivate, otherName: otherHash && toHex(otherHash) });
  }

  /** What announces a torrent that sleeps here, made if there was none; null for others. */
  announcing(torrent: string): Announcing | null {
    const sleeper = this.#sleepers.get(torrent);
    if (!sleeper) return null;
    if (!sleeper.announcing) {
      const { isPrivate, otherName } = sleeper;
      const named = { torrent, trackers: [], isPrivate, otherName };
      sleeper.announcing = announcingOf(named, this.#deps.depsFor(torrent));
      void sleeper.announcing.start();
    }
    return sleeper.announcing;
  }

  /** A peer asks for a torrent: whether it sleeps here. It is called at most every ten seconds. */
  call(name: string): boolean {
    const torrent = this.#otherNames.get(name) ?? name;
    const sleeper = this.#sleepers.get(torrent);
    if (!sleeper) return false;
    const now = performance.now();
    if (now - sleeper.calledAt >= CALL_AGAIN_MS) {
      sleeper.calledAt = now;
      this.#deps.call(torrent);
    }
    return true;
  }

  /** It wakes, or is removed: what announces it; null when nothing does. */
  take(torrent: string): Announcing | null {
    const sleeper = this.#sleepers.get(torrent);
    if (!sleeper) return null;
    this.#sleepers.delete(torrent);
    this.#deps.expect(torrent, false);
    const { otherName } = sleeper;
    if (otherName && this.#otherNames.delete(otherName)) this.#deps.expect(otherName, false);
    return sleeper.announcing;
  }

  /** Peers reach us at another port now. */
  portChanged(): void {
    for (const { announcing } of this.#sleepers.values()) announcing?.portChanged();
  }

  /** Says goodbye to the trackers, as many as a few seconds allow. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    const all: Announcing[] = [];
    for (const { announcing } of this.#sleepers.values()) if (announcing) all.push(announcing);
    this.#sleepers.clear();
    const deadline = performance.now() + GOODBYES_MS;
    while (all.length > 0 && performance.now() < deadline) {
      await Promise.all(all.splice(0, GOODBYES_AT_ONCE).map((one) => one.stop()));
    }
  }

  #put(torrent: string, sleeper: Omit<Sleeper, 'calledAt'>): void {
    const { otherName } = sleeper;
    if (!this.#sleepers.has(torrent)) this.#deps.expect(torrent, true);
    if (otherName && !this.#otherNames.has(otherName)) {
      this.#otherNames.set(otherName, torrent);
      this.#deps.expect(otherName, true);
    }
    this.#sleepers.set(torrent, { ...sleeper, calledAt: -Infinity });
  }

  #startSome(): void {
    for (const announcing of this.#starting.splice(0, STARTS_PER_STEP)) void announcing.start();
    if (this.#starting.length > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

function announcingOf(sleeper: SleepingTorrent, deps: AnnouncingDeps): Announcing {
  const { torrent, trackers, isPrivate, otherName } = sleeper;
  const announcing = new Announcing({ infoHash: fromHex(torrent), trackers, isPrivate }, deps);
  if (otherName) void announcing.alsoAs(fromHex(otherName));
  return announcing;
}
