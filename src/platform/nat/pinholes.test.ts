import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FindOutcome, findGateway } from './find-gateway.ts';
import {
  findFirewallRoute,
  findOpenHosts,
  readDefaultRoutes6,
  readUnfitHosts,
} from './firewall-route.ts';
import type { Route } from './gateway.ts';
import { gatewayUrl } from './gateway-http.ts';
import { type PinholeReach, Pinholes } from './pinholes.ts';
import { isOnLink } from './route.ts';
import {
  type FakeGateway,
  type FakeGatewayOptions,
  startFakeGateway,
} from './testing/fake-gateway.ts';
import { NO_IPV6, ROUTE_6, Scene, TCP, UDP } from './testing/scene.ts';

const NEVER = new AbortController().signal;
const HOST = '::1';
/** Where the system does not tell who the router is: only UPnP is tried. */
const UNKNOWN: Route = { ...ROUTE_6, gatewayHost: null };
const IPV6 = { skip: NO_IPV6 };

function start(options: Omit<FakeGatewayOptions, 'host'>): Promise<FakeGateway> {
  return startFakeGateway({ ...options, host: HOST });
}

function find(gateway: FakeGateway, route: Route): Promise<FindOutcome> {
  const { datagramPort, ssdpGroup } = gateway;
  return findGateway(route, TCP, { signal: NEVER, datagramPort, ssdpGroup });
}

/** Pinholes at a router on loopback, of a machine whose addresses the test decides on. */
class Machine {
  readonly reaches: PinholeReach[] = [];
  readonly pinholes: Pinholes;
  hosts: readonly string[];
  #told: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #looked: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #look = (): void => {};

  constructor(gateway: FakeGateway, hosts: readonly string[]) {
    this.hosts = hosts;
    const { datagramPort, ssdpGroup } = gateway;
    const aborted = (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        signal.addEventListener('abort', () => resolve());
      });
    const onReach = (reach: PinholeReach): void => {
      this.reaches.push(reach);
      this.#told.resolve();
    };
    this.pinholes = Pinholes.start(
      { wishes: [TCP, UDP], bindHost: null, onReach },
      {
        findOpenHosts: async () => this.hosts,
        findRoute: async () => ROUTE_6,
        findGateway: (route, wish, { signal }) =>
          findGateway(route, wish, { signal, datagramPort, ssdpGroup }),
        wait: (_, signal) => aborted(signal),
        waitForLook: (_, signal) =>
          new Promise((resolve) => {
            this.#look = resolve;
            void aborted(signal).then(resolve);
            this.#looked.resolve();
          }),
      },
    );
  }

  /** Resolves with the next thing that is told. */
  async told(): Promise<PinholeReach | undefined> {
    await this.#told.promise;
    this.#told = Promise.withResolvers();
    return this.reaches.at(-1);
  }

  /** The addresses have been looked at; these are those from now on, at the next look. */
  async change(hosts: readonly string[]): Promise<void> {
    await this.looked();
    this.hosts = hosts;
    this.#looked = Promise.withResolvers();
    this.#look();
    await this.looked();
  }

  looked(): Promise<void> {
    return this.#looked.promise;
  }
}

test('without a global address nobody is asked, and nothing is said', IPV6, async () => {
  await using gateway = await start({ speaks: ['pcp', 'upnp'] });
  const machine = new Machine(gateway, []);
  await machine.change([]);
  await machine.pinholes.stop();
  assert.deepEqual(machine.reaches, []);
  assert.equal(gateway.heardCount(), 0);
});

test('the firewall is opened for each of our addresses, which is said once', IPV6, async () => {
  await using gateway = await start({ speaks: ['pcp'] });
  const machine = new Machine(gateway, ['2001:db8::1', '2001:db8::2']);
  const reach = await machine.told();
  assert.ok(reach?.state === 'open');
  const said = reach.places.map(({ host, method, ports }) => [host, method, ports.length]);
  assert.deepEqual(said, [
    ['2001:db8::1', 'PCP', 2],
    ['2001:db8::2', 'PCP', 2],
  ]);
  await machine.change(['2001:db8::1', '2001:db8::2']);
  assert.equal(machine.reaches.length, 1);
  await machine.pinholes.stop();
  assert.deepEqual(gateway.mappings(), []);
});

test(
  'with another address the firewall is opened for that, and closed for the old one',
  IPV6,
  async () => {
    await using gateway = await start({ speaks: ['pcp'] });
    const machine = new Machine(gateway, ['2001:db8::1']);
    await machine.told();
    await machine.change(['2001:db8::2']);
    // The answer to the new address comes later: nothing is said before.
    const reach = await machine.told();
    assert.ok(reach?.state === 'open');
    assert.deepEqual(
      reach.places.map(({ host }) => host),
      ['2001:db8::2'],
    );
    await gateway.reached(6);
    assert.ok(gateway.journal.includes('unmap tcp 6881'), 'the old one is closed');
    await machine.change([]);
    assert.deepEqual(machine.reaches.at(-1), { state: 'none' });
    await machine.pinholes.stop();
  },
);

test('what is refused for several addresses is said once', IPV6, async () => {
  await using gateway = await start({ speaks: ['pcp'], isStrict: true });
  const machine = new Machine(gateway, ['2001:db8::1', '2001:db8::2']);
  assert.deepEqual(await machine.told(), { state: 'refused', reason: 'PCP: it does not let us' });
  await machine.pinholes.stop();
});

test(
  'a firewall that is off is not asked to open, which is nothing to tell people',
  IPV6,
  async () => {
    await using gateway = await start({ speaks: ['upnp'], firewall: { status: ['0', '1'] } });
    assert.deepEqual(await find(gateway, UNKNOWN), { ok: false, refusals: [] });
    assert.deepEqual(gateway.journal, []);
  },
);

test(
  'a firewall that lets nobody in, or does not say what it opened, is a refusal',
  IPV6,
  async () => {
    for (const [firewall, reason] of [
      [{ status: ['1', '0'] }, 'UPnP: it lets nobody in'],
      [{ uniqueId: '&lt;/x&gt;' }, 'UPnP: it does not say what it has opened'],
      [{ uniqueId: '70000000' }, 'UPnP: it does not say what it has opened'],
    ] as const) {
      await using gateway = await start({ speaks: ['upnp'], firewall });
      const outcome = await find(gateway, UNKNOWN);
      if (reason.endsWith('nobody in')) assert.deepEqual(gateway.journal, []);
      assert.deepEqual(outcome, { ok: false, refusals: [reason] });
    }
  },
);

test('a router that has forgotten its pinholes opens them anew', IPV6, async () => {
  await using gateway = await start({ speaks: ['upnp'] });
  const scene = new Scene(gateway, () => UNKNOWN);
  await scene.settled();
  gateway.restart();
  assert.deepEqual(gateway.mappings(), []);
  await scene.again();
  assert.deepEqual(gateway.mappings(), ['tcp 6881 -> 6881', 'udp 6881 -> 6881']);
  assert.equal(scene.reaches.length, 1);
  await scene.mapper.stop();
  assert.deepEqual(gateway.mappings(), []);
});

test('NAT-PMP, which knows IPv4 alone, is not asked for IPv6', IPV6, async () => {
  await using gateway = await start({ speaks: ['nat-pmp', 'upnp'] });
  const outcome = await find(gateway, ROUTE_6);
  assert.ok(outcome.ok && outcome.gateway.method === 'UPnP');
});

test('over IPv6, too, only the host that answered is asked (SSRF)', IPV6, async () => {
  const asked: string[] = [];
  await using victim = await startFakeGateway({
    host: '127.0.0.9',
    speaks: [],
    onHttp: (request, response) => {
      asked.push(`${request.url}`);
      response.end();
    },
  });
  const { httpPort } = victim;
  const locations = [
    `http://127.0.0.9:${httpPort}/`,
    `http://[::ffff:127.0.0.9]:${httpPort}/`,
    `http://[::1]@127.0.0.9:${httpPort}/`,
    `http://[fe80::1]:${httpPort}/`,
  ];
  const searches = locations.map(async (location) => {
    await using gateway = await start({ speaks: ['upnp'], location });
    assert.deepEqual(await find(gateway, UNKNOWN), { ok: false, refusals: [] }, location);
  });
  await Promise.all(searches);
  const description =
    '<service><serviceType>urn:schemas-upnp-org:service:WANIPv6FirewallControl:1</serviceType>' +
    `<controlURL>http://127.0.0.9:${httpPort}/</controlURL></service>`;
  await using gateway = await start({
    speaks: ['upnp'],
    onHttp: (_, response) => response.end(description),
  });
  const outcome = await find(gateway, UNKNOWN);
  assert.ok(!outcome.ok);
  assert.match(`${outcome.refusals}`, /no IPv6 firewall that we may open/);
  assert.deepEqual(asked, []);
});

test('an IPv6 address in a location is the one that answered, whatever its zone', () => {
  const url = 'http://[2001:db8::1]:5000/d.xml';
  assert.equal(gatewayUrl(url, null, '2001:db8::1')?.port, '5000');
  // As a Fritz!Box answers: from its link-local address, naming that.
  assert.equal(gatewayUrl('http://[fe80::1]:49000/', null, 'fe80::1%eth0')?.port, '49000');
  assert.equal(gatewayUrl('http://[fd00::1]:5000/', null, '2001:db8::1'), null);
  assert.equal(gatewayUrl('http://192.168.1.1/', null, '2001:db8::1'), null);
});

test('of IPv6, our own link is our prefix, and link-local addresses in our zone', () => {
  const route = {
    localHost: '2001:db8:0:7::2',
    netmask: 'ffff:ffff:ffff:ffff::',
    gatewayHost: null,
    zone: 'eth0',
  };
  for (const host of ['2001:db8:0:7::1', 'fe80::1%eth0']) assert.ok(isOnLink(host, route), host);
  for (const host of ['2001:db8:0:8::1', 'fe80::1%wlan0', 'fe80::1', '192.168.1.1', '::1']) {
    assert.ok(!isOnLink(host, route), host);
  }
});

// From Linux 6.18: a default route by advertisement, one into a tunnel, one that refuses.
test("the kernel's IPv6 table tells the routers, the preferred one first", () => {
  const none = '0'.repeat(32);
  const line = (next: string, metric: string, flags: string, device: string): string =>
    `${none} 00 ${none} 00 ${next} ${metric} 00000001 00000000 ${flags} ${device.padStart(8)}\n`;
  const table =
    '2a0e0009000100000000000000000000 40 00000000000000000000000000000000 00 ' +
    `${none} 00000100 00000001 00000000 00000001       h0\n` +
    line('fe80000000000000701ab9fffea9ef2f', '00000400', '00450003', 'h0') +
    line(none, '00000032', '00000001', 'tun0') +
    line(none, 'ffffffff', '00200200', 'lo');
  assert.deepEqual(readDefaultRoutes6(table), [
    { device: 'tun0', gatewayHost: '::', metric: 50 },
    { device: 'h0', gatewayHost: 'fe80::701a:b9ff:fea9:ef2f%h0', metric: 1024 },
  ]);
});

test('addresses that are given up, doubled or not yet ours are not opened', () => {
  const line = (last: string, flags: string): string =>
    `20010db800000000000000000000000${last} 02 40 00 ${flags}       h0\n`;
  // Lasting; temporary; temporary and deprecated; tentative; taken by another.
  const list =
    line('1', '80') + line('2', '01') + line('3', '21') + line('4', '40') + line('5', '88');
  assert.deepEqual(readUnfitHosts(list), ['2001:db8::3', '2001:db8::4', '2001:db8::5']);
});

test('loopback and addresses that we do not have are opened nowhere', async () => {
  for (const host of ['::1', '2001:db8::9', '127.0.0.1', 'x']) {
    assert.deepEqual(await findOpenHosts(host), []);
    assert.equal(await findFirewallRoute(host), null);
  }
});
