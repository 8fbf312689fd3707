/** Keeps ports of ours mapped at the router, from `start` to `stop`. Trouble is never fatal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, assert } from '../../units/index.ts';
import { parseIp } from '../../wire/index.ts';
import { type FindOutcome, findGateway } from './find-gateway.ts';
import type { Gateway, GatewayMethod, MappedPort, PortWish, Route } from './gateway.ts';
import { findRoute } from './route.ts';

/** How the internet reaches us. */
export type Reach =
  | {
      readonly state: 'mapped';
      readonly method: GatewayMethod;
      /** A literal address, of the router's other side; null when it does not say. Unproven. */
      readonly externalHost: string | null;
      /** Those of the wishes that the router grants. */
      readonly ports: readonly MappedPort[];
    }
  /** A router answered and will not; `reason` says in which protocol and why. */
  | { readonly state: 'refused'; readonly reason: string }
  /** There is no router, or none that answers. */
  | { readonly state: 'none' };

/** What is to be mapped. */
export interface PortMapperOptions {
  /** At least one. Those first that matter most. */
  readonly wishes: readonly PortWish[];
  /** Our address that the router is to pass connections on to; null for that of the way out. */
  readonly bindHost: string | null;
  /** Each time that it changes. */
  readonly onReach: (reach: Reach) => void;
}

/** The world, replaced in tests. */
export interface PortMapperDeps {
  readonly findRoute: (bindHost: string | null) => Promise<Route | null>;
  readonly findGateway: (
    route: Route,
    wish: PortWish,
    options: { readonly signal: AbortSignal },
  ) => Promise<FindOutcome>;
  /** Resolves after so long, or at once when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A mapping is renewed after half its life, but at least so often: routers forget at restarts. */
const RENEW_MS_MAX: number = 20 * 60_000;
/** And not more often than so, whatever lifetime a router grants. */
const RENEW_MS_MIN = 30_000;
/** Without a router it is looked for one so often: people change networks. */
const LOOK_AGAIN_MS: number = 10 * 60_000;
/** An answer to a renewal is waited for so long. */
const RENEWAL_MS = 15_000;
/** Taking the mappings back must not hold up the end of a program. */
const STOP_MS = 1_000;

/** Waiting in earnest: it keeps no program alive. */
export const waitUnheld: PortMapperDeps['wait'] = (ms, signal) =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => {});

const REAL: PortMapperDeps = { findRoute, findGateway, wait: waitUnheld };

/** The router that we hold mappings at. */
interface Hold {
  readonly route: Route;
  readonly gateway: Gateway;
  ports: readonly MappedPort[];
}

/** Maps ports, and keeps them mapped. */
export class PortMapper {
  readonly #options: PortMapperOptions;
  readonly #deps: PortMapperDeps;
  /** Ends waiting and searching. */
  readonly #stopping = new AbortController();
  /** Ends everything. */
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  #hold: Hold | null = null;
  #told = '';

  private constructor(options: PortMapperOptions, deps: PortMapperDeps) {
    assert(options.wishes.length > 0, 'there is a port to map');
    this.#options = options;
    this.#deps = deps;
    this.#running = this.#run();
  }

  /** Begins; returns at once. */
  static start(options: PortMapperOptions, deps: PortMapperDeps = REAL): PortMapper {
    return new PortMapper(options, deps);
  }

  /** Takes the mappings back, as far as the router lets us within a second. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const deadline = setTimeout(() => this.#over.abort(), STOP_MS);
    await Promise.race([this.#takeBack(), aborted(this.#over.signal)]);
    clearTimeout(deadline);
    this.#over.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const nextMs = await this.#round();
      await this.#deps.wait(nextMs, signal);
    }
  }

  async #takeBack(): Promise<void> {
    await this.#running;
    const { gateway, ports } = this.#hold ?? {};
    const { signal } = this.#over;
    await Promise.all(ports?.map((port) => attempt(() => gateway?.unmap(port, signal))) ?? []);
  }

  /** Maps everything, anew or again; how long that holds. */
  async #round(): Promise<number> {
    const route = await this.#deps.findRoute(this.#options.bindHost);
    // In another network, what we hold is nothing any more.
    if (!isSame(route, this.#hold?.route)) this.#hold = null;
    if (this.#hold) await this.#mapAll(this.#hold);
    if (!this.#hold && route) await this.#find(route);
    if (!this.#hold) {
      if (!route) this.#tell({ state: 'none' });
      return LOOK_AGAIN_MS;
    }
    const { gateway, ports } = this.#hold;
    const { externalHost: host, method } = gateway;
    const externalHost = host !== null && parseIp(host) ? host : null;
    this.#tell({ state: 'mapped', method, externalHost, ports });
    const lifetimeMs = Math.min(...ports.map(({ lifetimeSeconds }) => lifetimeSeconds * 1000));
    return Math.min(Math.max(lifetimeMs / 2, RENEW_MS_MIN), RENEW_MS_MAX);
  }

  async #find(route: Route): Promise<void> {
    const [wish] = this.#options.wishes;
    const { signal } = this.#stopping;
    if (!wish || signal.aborted) return;
    const outcome = await this.#deps.findGateway(route, wish, { signal });
    if (outcome.ok) {
      this.#hold = { route, gateway: outcome.gateway, ports: [outcome.first] };
      await this.#mapAll(this.#hold, 1);
    } else if (outcome.refusals.length > 0) {
      this.#tell({ state: 'refused', reason: outcome.refusals.join('; ') });
    } else {
      this.#tell({ state: 'none' });
    }
  }

  /** Maps all wishes from the `from`th on; holds nothing any more when none is granted. */
  async #mapAll(hold: Hold, from = 0): Promise<void> {
    const before = hold.ports;
    const ports = before.slice(0, from);
    for (const wish of this.#options.wishes.slice(from)) {
      if (this.#stopping.signal.aborted) return;
      const known = before.find((one) => one.port === wish.port && one.protocol === wish.protocol);
      // What peers know is one number for TCP and uTP alike.
      const twin = ports.find((one) => one.port === wish.port);
      const externalPort = (known ?? twin)?.externalPort ?? wish.port;
      const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(RENEWAL_MS)]);
      const mapped = await attempt(() => hold.gateway.map(wish, { externalPort, signal }));
      if (mapped && mapped.externalPort > 0) ports.push(mapped);
      // Until all are through, those are held that have been and those that were.
      hold.ports = [...ports, ...before.filter((one) => !ports.some((two) => isOf(one, two)))];
    }
    hold.ports = ports;
    if (ports.length === 0) this.#hold = null;
  }

  #tell(reach: Reach): void {
    const text = newsOf(reach);
    if (this.#told === text || this.#stopping.signal.aborted) return;
    this.#told = text;
    this.#options.onReach(reach);
  }
}

/** Equal for two that are no news to each other: each renewal tells another lifetime. */
export function newsOf(reach: object): string {
  return JSON.stringify(reach, (key, value) => (key === 'lifetimeSeconds' ? 0 : value));
}

function isOf(one: PortWish, other: PortWish): boolean {
  return one.port === other.port && one.protocol === other.protocol;
}

function isSame(one: Route | null, other: Route | undefined): boolean {
  return one?.localHost === other?.localHost && one?.gatewayHost === other?.gatewayHost;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
}

/** What was not granted, or not answered, is null. */
async function attempt<Result>(action: () => Promise<Result> | undefined): Promise<Result | null> {
  try {
    return (await action()) ?? null;
  } catch (failure) {
    if (failure instanceof AppError) return null;
    throw failure;
  }
}
