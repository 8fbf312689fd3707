/**
 * Keeps the router's IPv6 firewall open for our ports, from `start` to `stop`: one `PortMapper` for
 * each of our addresses, which come and go.
 */
import { assert } from '../../units/index.ts';
import { findGateway } from './find-gateway.ts';
import { findFirewallRoute, findOpenHosts } from './firewall-route.ts';
import type { GatewayMethod, MappedPort, PortWish } from './gateway.ts';
import { newsOf, PortMapper, type PortMapperDeps, type Reach, waitUnheld } from './port-mapper.ts';

/** An address of ours that peers outside may dial. */
export interface OpenPlace {
  /** A literal IPv6 address. */
  readonly host: string;
  readonly method: GatewayMethod;
  readonly ports: readonly MappedPort[];
}

/** Whom the router's firewall lets in. */
export type PinholeReach =
  | { readonly state: 'open'; readonly places: readonly OpenPlace[] }
  /** A router answered and will not; `reason` says in which protocol and why. */
  | { readonly state: 'refused'; readonly reason: string }
  /** There is no router that answers, its firewall is off, or our addresses have gone. */
  | { readonly state: 'none' };

/** What is to be opened. */
export interface PinholesOptions {
  /** At least one. Those first that matter most. */
  readonly wishes: readonly PortWish[];
  /** What the node listens on; null for everywhere. */
  readonly bindHost: string | null;
  /** Each time that it changes; never while we have no global address. */
  readonly onReach: (reach: PinholeReach) => void;
}

/** The world, replaced in tests. */
export interface PinholesDeps extends Omit<PortMapperDeps, 'findRoute'> {
  readonly findOpenHosts: (bindHost: string | null) => Promise<readonly string[]>;
  readonly findRoute: (host: string | null) => ReturnType<PortMapperDeps['findRoute']>;
  /** Waits between two looks at our addresses; as `wait`. */
  readonly waitForLook: PortMapperDeps['wait'];
}

/**
 * Our addresses are looked at so often. Temporary ones change once a day (RFC 8981, 3.8), and peers
 * dial the new one from the next announce on; looking is two small files.
 */
const LOOK_MS = 60_000;

const REAL: PinholesDeps = {
  findOpenHosts,
  findRoute: (host) => findFirewallRoute(host ?? ''),
  findGateway,
  wait: waitUnheld,
  waitForLook: waitUnheld,
};

/** Opens the firewall, and keeps it open. Trouble is never fatal. */
export class Pinholes {
  readonly #options: PinholesOptions;
  readonly #deps: PinholesDeps;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** By our address. */
  readonly #mappers = new Map<string, PortMapper>();
  readonly #reaches = new Map<string, Reach>();
  #told = '';

  private constructor(options: PinholesOptions, deps: PinholesDeps) {
    assert(options.wishes.length > 0, 'there is a port to open');
    this.#options = options;
    this.#deps = deps;
    this.#running = this.#run();
  }

  /** Begins; returns at once. */
  static start(options: PinholesOptions, deps: PinholesDeps = REAL): Pinholes {
    return new Pinholes(options, deps);
  }

  /** Closes what was opened, as far as the router lets us within a second. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all([...this.#mappers.values()].map((mapper) => mapper.stop()));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const hosts = await this.#deps.findOpenHosts(this.#options.bindHost);
      if (!signal.aborted) this.#keepTo(hosts);
      await this.#deps.waitForLook(LOOK_MS, signal);
    }
  }

  /** One mapper for each of these addresses, and none for others. */
  #keepTo(hosts: readonly string[]): void {
    const { wishes } = this.#options;
    for (const [host, mapper] of this.#mappers) {
      if (hosts.includes(host)) continue;
      this.#mappers.delete(host);
      this.#reaches.delete(host);
      // Asked from that address, so this comes to nothing where it has gone already.
      void mapper.stop();
    }
    for (const host of hosts) {
      if (this.#mappers.has(host)) continue;
      const onReach = (reach: Reach): void => {
        this.#reaches.set(host, reach);
        this.#tell();
      };
      this.#mappers.set(host, PortMapper.start({ wishes, bindHost: host, onReach }, this.#deps));
    }
    this.#tell();
  }

  /** Says how it is, once it is known for all addresses. */
  #tell(): void {
    if (this.#stopping.signal.aborted || this.#reaches.size < this.#mappers.size) return;
    const reach = summaryOf(this.#reaches);
    const text = newsOf(reach);
    if (this.#told === text || (this.#told === '' && this.#mappers.size === 0)) return;
    this.#told = text;
    this.#options.onReach(reach);
  }
}

function summaryOf(reaches: ReadonlyMap<string, Reach>): PinholeReach {
  const places: OpenPlace[] = [];
  const reasons = new Set<string>();
  for (const [host, reach] of reaches) {
    if (reach.state === 'refused') reasons.add(reach.reason);
    if (reach.state !== 'mapped') continue;
    places.push({ host, method: reach.method, ports: reach.ports });
  }
  if (places.length > 0) return { state: 'open', places };
  return reasons.size > 0
    ? { state: 'refused', reason: [...reasons].join('; ') }
    : { state: 'none' };
}
