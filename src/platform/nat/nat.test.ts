import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FindOutcome, findGateway } from './find-gateway.ts';
import type { Route } from './gateway.ts';
import { gatewayUrl } from './gateway-http.ts';
import { findRoute, isOnLink, readDefaultRoutes } from './route.ts';
import {
  type FakeGateway,
  type FakeGatewayOptions,
  startFakeGateway,
} from './testing/fake-gateway.ts';
import { NO_IPV6, ROUTE, ROUTE_6, Scene, TCP } from './testing/scene.ts';

const NEVER = new AbortController().signal;

/** Where the system does not tell who the router is: only UPnP is tried, which finds it. */
const UNKNOWN: Route = { ...ROUTE, gatewayHost: null };
const UNKNOWN_6: Route = { ...ROUTE_6, gatewayHost: null };

function find(gateway: FakeGateway, route: Route = UNKNOWN): Promise<FindOutcome> {
  const { datagramPort, ssdpGroup } = gateway;
  return findGateway(route, TCP, { signal: NEVER, datagramPort, ssdpGroup });
}

const METHODS: readonly (readonly [string, FakeGatewayOptions, Route])[] = [
  ['PCP', { speaks: ['pcp', 'nat-pmp', 'upnp'] }, ROUTE],
  ['NAT-PMP', { speaks: ['nat-pmp', 'upnp'] }, ROUTE],
  ['UPnP', { speaks: ['upnp'] }, UNKNOWN],
  ['PCP', { speaks: ['pcp', 'upnp'], host: '::1' }, ROUTE_6],
  ['UPnP', { speaks: ['upnp'], host: '::1' }, UNKNOWN_6],
];

for (const [protocol, options, route] of METHODS) {
  const isSix = options.host === '::1';
  const method = isSix ? `${protocol} over IPv6` : protocol;
  const skip = isSix && NO_IPV6;
  test(`a router that speaks ${method} maps ports, keeps them, and takes them back`, {
    skip,
  }, async () => {
    await using gateway = await startFakeGateway(options);
    const scene = new Scene(gateway, () => route);
    await scene.settled();
    assert.deepEqual(gateway.mappings(), ['tcp 6881 -> 6881', 'udp 6881 -> 6881']);
    const [reach] = scene.reaches;
    assert.ok(reach?.state === 'mapped');
    assert.equal(reach.method, protocol);
    assert.equal(reach.externalHost, isSix ? '::1' : '8.8.8.1');
    await scene.again();
    assert.deepEqual(gateway.journal.slice(2), ['map tcp 6881 -> 6881', 'map udp 6881 -> 6881']);
    assert.deepEqual(scene.waits, [1_200_000, 1_200_000]);
    await scene.mapper.stop();
    assert.deepEqual(gateway.mappings(), []);
    assert.equal(scene.reaches.length, 1, 'what did not change is said once');
  });

  test(`a refusal by ${method} is said once, and is no failure`, { skip }, async () => {
    await using gateway = await startFakeGateway({ ...options, isStrict: true });
    const scene = new Scene(gateway, () => route);
    await scene.again();
    assert.equal(scene.reaches.length, 1);
    const [reach] = scene.reaches;
    assert.ok(reach?.state === 'refused');
    assert.match(reach.reason, new RegExp(`${protocol}: it`));
    await scene.mapper.stop();
  });
}

for (const [method, options, route] of METHODS) {
  // Over IPv6 nobody else has a port of our own address.
  if (options.host === '::1') continue;
  test(`by ${method} a port that somebody has at the router becomes another`, async () => {
    await using gateway = await startFakeGateway({ ...options, taken: [6881] });
    const scene = new Scene(gateway, () => route);
    await scene.settled();
    const [reach] = scene.reaches;
    assert.ok(reach?.state === 'mapped');
    const [tcp, udp] = reach.ports;
    assert.ok(tcp && tcp.externalPort !== 6881);
    assert.equal(udp?.externalPort, tcp.externalPort, 'TCP and uTP are one number to peers');
    await scene.again();
    assert.ok(gateway.mappings().includes(`tcp 6881 -> ${tcp.externalPort}`), 'it stays the same');
    await scene.mapper.stop();
    assert.deepEqual(gateway.mappings(), []);
  });
}

test('rubbish before the answers is passed over', async () => {
  for (const [method, options, route] of METHODS) {
    if (options.host === '::1' && NO_IPV6) continue;
    await using gateway = await startFakeGateway({ ...options, isNoisy: true });
    const outcome = await find(gateway, route);
    assert.ok(outcome.ok, method);
    assert.equal(outcome.gateway.method, method);
  }
});

test('half of the lifetime that a router grants passes before it is asked again', async () => {
  for (const [lifetimeSeconds, waitMs] of [
    [600, 300_000],
    [1, 30_000],
    [4_000_000_000, 1_200_000],
  ] as const) {
    await using gateway = await startFakeGateway({ speaks: ['pcp'], lifetimeSeconds });
    const scene = new Scene(gateway);
    await scene.settled();
    assert.deepEqual(scene.waits, [waitMs]);
    await scene.mapper.stop();
  }
});

test('a router that knows only mappings for ever gets such, and loses them at the end', async () => {
  await using gateway = await startFakeGateway({ speaks: ['upnp'], isPermanentOnly: true });
  const scene = new Scene(gateway, () => UNKNOWN);
  await scene.settled();
  assert.equal(gateway.mappings().length, 2);
  await scene.mapper.stop();
  assert.deepEqual(gateway.mappings(), []);
});

test('without a way out nobody is asked; in another network the ports are mapped anew', async () => {
  await using gateway = await startFakeGateway({ speaks: ['pcp'] });
  let route: Route | null = null;
  const scene = new Scene(gateway, () => route);
  await scene.settled();
  assert.deepEqual(scene.reaches, [{ state: 'none' }]);
  assert.deepEqual(gateway.journal, []);
  route = ROUTE;
  await scene.again();
  assert.equal(scene.reaches.at(-1)?.state, 'mapped');
  route = null;
  await scene.again();
  assert.deepEqual(scene.reaches.at(-1), { state: 'none' });
  await scene.mapper.stop();
});

test('a router that is silent when asked by PCP is asked by UPnP', async () => {
  await using gateway = await startFakeGateway({ speaks: ['upnp'] });
  const outcome = await find(gateway, ROUTE);
  assert.ok(outcome.ok && outcome.gateway.method === 'UPnP');
});

test('a router that has gone silent is looked for again', async () => {
  const gateway = await startFakeGateway({ speaks: ['pcp'] });
  const scene = new Scene(gateway);
  await scene.settled();
  await gateway[Symbol.asyncDispose]();
  await scene.again();
  assert.deepEqual(
    scene.reaches.map(({ state }) => state),
    ['mapped', 'none'],
  );
  await scene.mapper.stop();
});

test('stopping waits no longer than a second for a router that does not answer', async () => {
  await using gateway = await startFakeGateway({ speaks: ['pcp'] });
  const scene = new Scene(gateway);
  await scene.settled();
  gateway.fallSilent();
  const before = performance.now();
  await scene.mapper.stop();
  const waitedMs = performance.now() - before;
  assert.ok(waitedMs > 900 && waitedMs < 1_500, `${waitedMs} ms`);
});

test('stopping ends the search', async () => {
  await using silent = await startFakeGateway({ speaks: [] });
  const scene = new Scene(silent);
  await scene.searching.promise;
  const before = performance.now();
  await scene.mapper.stop();
  assert.ok(performance.now() - before < 500);
  assert.deepEqual(scene.reaches, []);
});

/** Another host with a web server, which nobody may be led to; it notes what it is asked for. */
function startVictim(asked: string[]): ReturnType<typeof startFakeGateway> {
  return startFakeGateway({
    host: '127.0.0.9',
    speaks: [],
    onHttp: (request, response) => {
      asked.push(`${request.url}`);
      response.end();
    },
  });
}

test('of a description only a location on the host that answered is fetched (SSRF)', async () => {
  const asked: string[] = [];
  await using victim = await startVictim(asked);
  const inside = `127.0.0.9:${victim.httpPort}`;
  const locations = [
    `http://${inside}/admin?do=reboot`,
    `http://127.0.0.1@${inside}/`,
    `https://${inside}/`,
    `http://localhost:${victim.httpPort}/`,
    'file:///etc/passwd',
    'http://',
    '',
  ];
  const searches = locations.map(async (location) => {
    await using gateway = await startFakeGateway({ speaks: ['upnp'], location });
    assert.deepEqual(await find(gateway), { ok: false, refusals: [] }, location);
  });
  await Promise.all(searches);
  assert.deepEqual(asked, []);
});

test('a description cannot have us call another host (SSRF)', async () => {
  const asked: string[] = [];
  await using victim = await startVictim(asked);
  const url = `http://127.0.0.9:${victim.httpPort}/`;
  const places = [
    ['', url],
    [url, '/control'],
    ['', `//127.0.0.9:${victim.httpPort}/x`],
  ];
  const searches = places.map(async ([urlBase, controlUrl]) => {
    const document =
      `<root>${urlBase === '' ? '' : `<URLBase>${urlBase}</URLBase>`}<device><serviceList>` +
      '<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>' +
      `<controlURL>${controlUrl}</controlURL></service></serviceList></device></root>`;
    const onHttp: FakeGatewayOptions['onHttp'] = (_, response) => response.end(document);
    await using gateway = await startFakeGateway({ speaks: ['upnp'], onHttp });
    const outcome = await find(gateway);
    assert.ok(!outcome.ok);
    assert.match(`${outcome.refusals}`, /no service that maps ports/);
  });
  await Promise.all(searches);
  assert.deepEqual(asked, []);
});

test('who is not in our own network is no router of ours', async () => {
  await using gateway = await startFakeGateway({ speaks: ['upnp'] });
  // It answers from 127.0.0.1, which is not in this network of one address.
  const apart = { localHost: '127.0.0.5', netmask: '255.255.255.255', gatewayHost: null };
  assert.deepEqual(await find(gateway, apart), { ok: false, refusals: [] });
});

test('a hostile router does no harm: endless, huge, broken and redirecting answers', async () => {
  const block = Buffer.alloc(64 * 1024, '<a>');
  const hostile: Readonly<Record<string, FakeGatewayOptions['onHttp']>> = {
    'its answer is too long': (_, response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write(block));
      };
      response.on('drain', pour).on('error', () => {});
      pour();
    },
    'it does not answer': (_, response) => response.write('<root>'),
    'it answers with status 302': (_, response) =>
      response.writeHead(302, { location: 'http://127.0.0.9/' }).end(),
    'it cannot be reached': (request) => request.socket.end('garbage\r\n\r\n'),
    'it broke off': (request) =>
      request.socket.end('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    'XML cannot be read': (_, response) => response.end('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    'no service that maps ports': (_, response) => response.end('hello'),
  };
  const outcomes = Object.entries(hostile).map(async ([reason, onHttp = () => {}]) => {
    await using gateway = await startFakeGateway({ speaks: ['upnp'], onHttp });
    const outcome = await find(gateway);
    assert.ok(!outcome.ok);
    assert.match(`${outcome.refusals}`, new RegExp(reason));
  });
  await Promise.all(outcomes);
});

test('an address of the router that is none is not passed on', async () => {
  const services = 'urn:schemas-upnp-org:service:WANIPConnection:1';
  await using gateway = await startFakeGateway({
    speaks: ['upnp'],
    onHttp: (request, response) => {
      const action = /#(\w+)/.exec(`${request.headers['soapaction']}`)?.[1];
      const address = '<NewExternalIPAddress>\u001b[31mhttp://evil</NewExternalIPAddress>';
      response.end(
        action === undefined
          ? `<service><serviceType>${services}</serviceType><controlURL>/c</controlURL></service>`
          : `<u:${action}Response>${address}</u:${action}Response>`,
      );
    },
  });
  const scene = new Scene(gateway, () => UNKNOWN);
  await scene.settled();
  const [reach] = scene.reaches;
  assert.ok(reach?.state === 'mapped');
  assert.equal(reach.externalHost, null);
  await scene.mapper.stop();
});

test('only an http URL on the very host is asked', () => {
  assert.equal(gatewayUrl('http://192.168.1.1:5000/d.xml', null, '192.168.1.1')?.port, '5000');
  assert.equal(gatewayUrl('/ctl', 'http://192.168.1.1:5000/d', '192.168.1.1')?.pathname, '/ctl');
  assert.equal(gatewayUrl('http://192.168.1.2/', null, '192.168.1.1'), null);
  assert.equal(gatewayUrl('http://u:p@192.168.1.1/', null, '192.168.1.1'), null);
  // The URL standard reads this as 192.168.1.1: then it is that host.
  assert.equal(gatewayUrl('http://0xc0a80101/', null, '192.168.1.1')?.hostname, '192.168.1.1');
});

test("the kernel's table tells the routers, the preferred one first", () => {
  const table =
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n' +
    'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n' +
    'eth0\t00000000\tFE00000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n' +
    'tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0\n' +
    'eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n';
  assert.deepEqual(readDefaultRoutes(table), [
    { device: 'tun0', gatewayHost: '0.0.0.0', metric: 50 },
    { device: 'eth0', gatewayHost: '10.0.0.254', metric: 100 },
    { device: 'wlan0', gatewayHost: '192.168.1.1', metric: 600 },
  ]);
});

test('from loopback, and from an address that we do not have, no way leads out', async () => {
  for (const host of ['127.0.0.1', '::1', '203.0.113.9']) assert.equal(await findRoute(host), null);
});

test('what is on our link is told by address and netmask', () => {
  const route = { localHost: '192.168.1.7', netmask: '255.255.255.0', gatewayHost: null };
  assert.ok(isOnLink('192.168.1.1', route));
  assert.ok(!isOnLink('192.168.2.1', route));
  assert.ok(!isOnLink('::1', route));
});
