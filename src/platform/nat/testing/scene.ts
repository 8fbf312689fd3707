/** A port mapper at a router on loopback, whose time is the test's. */
import { networkInterfaces } from 'node:os';
import { findGateway } from '../find-gateway.ts';
import type { Route } from '../gateway.ts';
import { PortMapper, type PortMapperDeps, type Reach } from '../port-mapper.ts';
import type { FakeGateway } from './fake-gateway.ts';

/** Our way out, to a router that is known. */
export const ROUTE: Route = {
  localHost: '127.0.0.1',
  netmask: '255.0.0.0',
  gatewayHost: '127.0.0.1',
};
/** The same over IPv6. */
export const ROUTE_6: Route = {
  localHost: '::1',
  netmask: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  gatewayHost: '::1',
};
/** For the options of a test that needs IPv6: why it cannot run here, or false. */
export const NO_IPV6: string | false = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)
  ? false
  : 'no IPv6 here';
/** Two ports of ours. */
export const TCP = { protocol: 'tcp', port: 6881 } as const;
/** The other one. */
export const UDP = { protocol: 'udp', port: 6881 } as const;

/** The mapper; what it waits for happens when the test says so. */
export class Scene {
  readonly reaches: Reach[] = [];
  readonly waits: number[] = [];
  readonly mapper: PortMapper;
  readonly searching: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #waiting: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #go = (): void => {};

  constructor(gateway: FakeGateway, route: () => Route | null = () => ROUTE) {
    const { datagramPort, ssdpGroup } = gateway;
    const deps: PortMapperDeps = {
      findRoute: async () => route(),
      findGateway: (from, wish, { signal }) => {
        this.searching.resolve();
        return findGateway(from, wish, { signal, datagramPort, ssdpGroup });
      },
      wait: (ms, signal) =>
        new Promise((resolve) => {
          if (signal.aborted) return resolve();
          this.waits.push(ms);
          this.#go = resolve;
          signal.addEventListener('abort', () => resolve());
          this.#waiting.resolve();
        }),
    };
    const onReach = (reach: Reach): void => void this.reaches.push(reach);
    this.mapper = PortMapper.start({ wishes: [TCP, UDP], bindHost: null, onReach }, deps);
  }

  /** Resolves when a round is over. */
  async settled(): Promise<void> {
    await this.#waiting.promise;
  }

  /** The time has come: another round, to its end. */
  async again(): Promise<void> {
    await this.settled();
    this.#waiting = Promise.withResolvers();
    this.#go();
    await this.settled();
  }
}
