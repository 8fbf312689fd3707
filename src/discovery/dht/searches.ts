/** Runs lookups: some at a time, the others wait. */
import type { Instant } from '../../units/index.ts';
import type { DhtQuery, DhtReply, Endpoint } from '../../wire/index.ts';
import { isLocalHost, type JudgedContact } from './address-rules.ts';
import { type Candidate, Lookup, type LookupStart } from './lookup.ts';
import type { QueryOutcome } from './query-book.ts';

/** A lookup to run. */
export interface SearchSpec {
  readonly target: Uint8Array;
  /** What every node is asked. */
  readonly query: DhtQuery;
  readonly entrances?: readonly Endpoint[];
  /** Nodes to begin with beside those of the routing table. */
  readonly known?: readonly JudgedContact[];
  readonly onReply?: (reply: DhtReply, from: Endpoint) => void;
  readonly onDone: (lookup: Lookup) => void;
}

/** What running lookups needs of the node. */
export interface SearchPorts {
  /** Asks; the outcome always comes, at once when too many questions are open. */
  ask(question: {
    readonly to: Endpoint;
    readonly expectedId: Uint8Array | null;
    readonly query: DhtQuery;
    readonly onOutcome: (outcome: QueryOutcome) => void;
  }): void;
  /** The nodes of the routing table nearest to a target. */
  nearest(target: Uint8Array): readonly JudgedContact[];
  now(): Instant;
}

/** Lookups at the same time. */
const ACTIVE_MAX = 12;

/** Lookups that wait; one more is refused: it ends at once with nothing found. */
const WAITING_MAX = 1000;

interface Run {
  readonly spec: SearchSpec;
  readonly lookup: Lookup;
}

/** All lookups of one node in one family. */
export class Searches {
  readonly #ports: SearchPorts;
  readonly #active = new Set<Run>();
  readonly #waiting: SearchSpec[] = [];

  constructor(ports: SearchPorts) {
    this.#ports = ports;
  }

  get isIdle(): boolean {
    return this.#active.size === 0;
  }

  start(spec: SearchSpec): void {
    if (this.#active.size < ACTIVE_MAX) this.#begin(spec);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(spec);
    else spec.onDone(new Lookup({ target: spec.target, known: [], entrances: [] }));
  }

  /** Time passes: late nodes are no longer waited for. */
  tick(): void {
    for (const run of [...this.#active]) this.#advance(run);
  }

  #begin(spec: SearchSpec): void {
    const { target, entrances = [], known = [] } = spec;
    const start: LookupStart = {
      target,
      known: [...known, ...this.#ports.nearest(target)],
      entrances,
    };
    const run: Run = { spec, lookup: new Lookup(start) };
    this.#active.add(run);
    this.#advance(run);
  }

  #advance(run: Run): void {
    const { spec, lookup } = run;
    for (const { endpoint, candidate } of lookup.next(this.#ports.now())) {
      this.#ports.ask({
        to: endpoint,
        expectedId: candidate?.contact.id ?? null,
        query: spec.query,
        onOutcome: (outcome) => this.#onOutcome(run, { endpoint, candidate }, outcome),
      });
    }
    if (!this.#active.has(run) || !lookup.isDone(this.#ports.now())) return;
    this.#active.delete(run);
    spec.onDone(lookup);
    const next = this.#active.size < ACTIVE_MAX ? this.#waiting.shift() : undefined;
    if (next) this.#begin(next);
  }

  #onOutcome(
    run: Run,
    asked: { readonly endpoint: Endpoint; readonly candidate: Candidate | null },
    outcome: QueryOutcome,
  ): void {
    const { endpoint, candidate } = asked;
    if (!this.#active.has(run)) return;
    if (!candidate) run.lookup.onEntranceDone(endpoint);
    else if (outcome.kind !== 'reply') run.lookup.onFailed(candidate);
    if (outcome.kind === 'reply') {
      const { reply } = outcome;
      if (candidate) {
        candidate.state = 'replied';
        candidate.token = reply.token;
      }
      const nodes = endpoint.host.includes(':') ? reply.nodes6 : reply.nodes;
      run.lookup.onNodes(candidate, nodes, isLocalHost(endpoint.host));
      run.spec.onReply?.(reply, endpoint);
    }
    this.#advance(run);
  }
}
