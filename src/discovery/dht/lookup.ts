/**
 * Finding the nodes nearest to a target by asking nearer and nearer ones (BEP 5, Kademlia). Pure:
 * it says whom to ask and is told what they answered.
 */
import { type Instant, instant, toHex } from '../../units/index.ts';
import { compareDistance, type Endpoint, type NodeContact } from '../../wire/index.ts';
import { type JudgedContact, judgeContact, keyOf } from './address-rules.ts';
import { BUCKET_NODES } from './bucket.ts';

/** A node of a lookup. */
export interface Candidate extends JudgedContact {
  /** Replies between our own table and this node: 0 for those we knew. */
  readonly hop: number;
  state: 'new' | 'asked' | 'replied' | 'failed';
  askedAt: Instant;
  /** What it gave us to write with. */
  token: Uint8Array | null;
}

/** Where to begin. */
export interface LookupStart {
  readonly target: Uint8Array;
  readonly known: readonly JudgedContact[];
  /** Addresses without known ids: bootstrap routers. Asked first, never part of the result. */
  readonly entrances: readonly Endpoint[];
}

/** Questions on the way at the same time: Kademlia's alpha. */
const ALPHA = 4;

/** A node that has not answered for so long no longer holds up the others. */
const LATE_MS = 1_500;

/** Candidates kept, nearest first. */
const CANDIDATES_MAX = 100;

/** Questions one lookup may ask; an honest one needs some 20 to 40. */
const ASKED_MAX = 150;

/** An entrance to ask. */
interface Entrance {
  readonly endpoint: Endpoint;
  state: 'new' | 'asked' | 'done';
  askedAt: Instant;
}

/** One lookup, from the first question to the closest nodes. */
export class Lookup {
  readonly target: Uint8Array;
  /** Nearest first. */
  readonly #candidates: Candidate[] = [];
  readonly #entrances: Entrance[];
  /** One candidate per address, and per prefix: else one party could be all of them. */
  readonly #taken = new Set<string>();
  /** Contacts that failed, by address and id: they do not come back. */
  readonly #failed = new Set<string>();
  #askedCount = 0;

  constructor(start: LookupStart) {
    this.target = start.target;
    for (const judged of start.known) this.#add(judged, 0);
    this.#entrances = start.entrances.map((endpoint) => {
      return { endpoint, state: 'new', askedAt: instant(0) };
    });
  }

  /** How many were asked. */
  get askedCount(): number {
    return this.#askedCount;
  }

  /** The longest way to a node that answered, in replies. */
  get hops(): number {
    const replied = this.#candidates.filter(({ state }) => state === 'replied');
    return replied.reduce((most, { hop }) => Math.max(most, hop), 0);
  }

  /** Whom to ask now: each of them is marked as asked. */
  next(
    now: Instant,
  ): readonly { readonly endpoint: Endpoint; readonly candidate: Candidate | null }[] {
    const asks: { endpoint: Endpoint; candidate: Candidate | null }[] = [];
    let room = ALPHA - this.#underWay(now);
    const mark = (asked: Candidate | Entrance): boolean => {
      if (asked.state !== 'new' || room <= 0 || this.#askedCount >= ASKED_MAX) return false;
      asked.state = 'asked';
      asked.askedAt = now;
      this.#askedCount++;
      room--;
      return true;
    };
    for (const entrance of this.#entrances) {
      if (mark(entrance)) asks.push({ endpoint: entrance.endpoint, candidate: null });
    }
    for (const candidate of this.#window(now)) {
      if (mark(candidate)) asks.push({ endpoint: candidate.contact, candidate });
    }
    return asks;
  }

  /** Nothing is left to ask, and nobody is worth waiting for. */
  isDone(now: Instant): boolean {
    if (this.#entrances.some((entrance) => isAwaited(entrance, now))) return false;
    const canAsk = this.#askedCount < ASKED_MAX;
    return this.#window(now).every(
      ({ state }) => state === 'replied' || (state === 'new' && !canAsk),
    );
  }

  /** Somebody we asked told of these nodes. */
  onNodes(from: Candidate | null, nodes: readonly NodeContact[], isTellerLocal: boolean): void {
    const hop = (from?.hop ?? 0) + 1;
    for (const contact of nodes) {
      const judged = judgeContact(contact, isTellerLocal);
      if (judged) this.#add(judged, hop);
    }
  }

  /** It did not answer, or under another id: another contact may take its place. */
  onFailed(candidate: Candidate): void {
    candidate.state = 'failed';
    for (const mark of marksOf(candidate)) this.#taken.delete(mark);
    this.#failed.add(nameOf(candidate));
  }

  /** An entrance answered, or did not. */
  onEntranceDone(endpoint: Endpoint): void {
    const entrance = this.#entrances.find((one) => keyOf(one.endpoint) === keyOf(endpoint));
    if (entrance) entrance.state = 'done';
  }

  /**
   * The nodes that answered and are among the nearest: the 8 nearest, and more until 8 have an id
   * that their address may have (BEP 42, "Enforcement"). Never more than 16.
   */
  closest(now: Instant): readonly Candidate[] {
    return this.#window(now).filter(({ state }) => state === 'replied');
  }

  /** The candidates that matter: up to 8 secure ones, 16 in all, without those that failed. */
  #window(now: Instant): readonly Candidate[] {
    const window: Candidate[] = [];
    let secureCount = 0;
    for (const candidate of this.#candidates) {
      if (candidate.state === 'failed' || isLate(candidate, now)) continue;
      window.push(candidate);
      if (candidate.isSecure) secureCount++;
      if (secureCount >= BUCKET_NODES || window.length >= 2 * BUCKET_NODES) break;
    }
    return window;
  }

  #underWay(now: Instant): number {
    const isYoung = (one: Candidate | Entrance): boolean =>
      one.state === 'asked' && now - one.askedAt < LATE_MS;
    return this.#candidates.filter(isYoung).length + this.#entrances.filter(isYoung).length;
  }

  #add(judged: JudgedContact, hop: number): void {
    const { contact } = judged;
    const marks = marksOf(judged);
    if (marks.some((mark) => this.#taken.has(mark)) || this.#failed.has(nameOf(judged))) return;
    const candidates = this.#candidates;
    const isFarther = (other: Candidate): boolean =>
      compareDistance(this.target, contact.id, other.contact.id) < 0;
    const found = candidates.findIndex(isFarther);
    const at = found < 0 ? candidates.length : found;
    if (at >= CANDIDATES_MAX) return;
    for (const mark of marks) this.#taken.add(mark);
    candidates.splice(at, 0, { ...judged, hop, state: 'new', askedAt: instant(0), token: null });
    if (candidates.length > CANDIDATES_MAX) candidates.pop();
  }
}

function marksOf({ contact, isLocal, prefix }: JudgedContact): readonly string[] {
  return isLocal ? [keyOf(contact)] : [contact.host, `${prefix}/`];
}

function nameOf({ contact }: JudgedContact): string {
  return `${keyOf(contact)} ${toHex(contact.id)}`;
}

function isLate(candidate: Candidate, now: Instant): boolean {
  return candidate.state === 'asked' && now - candidate.askedAt >= LATE_MS;
}

function isAwaited(entrance: Entrance, now: Instant): boolean {
  if (entrance.state === 'new') return true;
  return entrance.state === 'asked' && now - entrance.askedAt < 2 * LATE_MS;
}
