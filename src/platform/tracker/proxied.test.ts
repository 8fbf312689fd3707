import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { parseTrackerUrl } from '../../wire/index.ts';
import { Egress } from '../egress/index.ts';
import { startTestProxy, type TestProxy } from '../egress/testing/proxies.ts';
import { startTrackerServer } from './tracker-server.ts';
import { TrackerTransport } from './tracker-transport.ts';

const ANNOUNCE = {
  infoHash: new Uint8Array(20),
  peerId: new Uint8Array(20),
  port: 1,
  uploadedBytes: 0,
  downloadedBytes: 0,
  leftBytes: 1,
  event: 'started',
  key: 1,
  numWant: 50,
} as const;

/** Announces through the proxy; the interval, or the reason why there is none. */
async function announce(t: TestContext, proxy: TestProxy, text: string): Promise<number | string> {
  const egress = new Egress({ bindHost: null, proxy: proxy.address }, () => {});
  const transport = new TrackerTransport({ egress });
  t.after(() => transport.close());
  const url = parseTrackerUrl(text);
  assert.ok(url);
  const { signal } = new AbortController();
  try {
    const [target] = await transport.resolve(url);
    assert.ok(target);
    const more = { announce: ANNOUNCE, trackerId: null, onLate: () => {}, signal };
    const outcome = await transport.announce({ url, target, ...more });
    return outcome.ok ? outcome.reply.intervalSeconds : outcome.refusal.reason;
  } catch (failure) {
    return failure instanceof Error ? failure.message : String(failure);
  }
}

/** A tracker that may send its askers elsewhere; its port. */
async function serve(t: TestContext, location: () => string | null): Promise<number> {
  const server = createServer((request, response) => {
    const to = request.url?.startsWith('/announce') ? location() : null;
    if (to === null) response.end('d8:intervali900e5:peers0:e');
    else response.writeHead(302, { location: to }).end();
  });
  server.listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const NAMES = { 'tracker.test': '127.0.0.1', 'other.test': '127.0.0.1' };

test('the proxy looks the name of a tracker up, and those it redirects to', async (t) => {
  await using proxy = await startTestProxy({ kind: 'socks5', names: NAMES });
  let location: string | null = null;
  const port = await serve(t, () => location);
  assert.equal(await announce(t, proxy, `http://tracker.test:${port}/x/announce?passkey=1`), 900);
  location = `http://other.test:${port}/moved`;
  assert.equal(await announce(t, proxy, `http://tracker.test:${port}/announce`), 900);
  const asked = ['tracker.test', 'tracker.test', 'other.test'].map((name) => `${name}:${port}`);
  assert.deepEqual(proxy.asked, asked);
});

test('no literal address lets a tracker reach into the network behind the proxy', async (t) => {
  await using proxy = await startTestProxy({ kind: 'http', names: NAMES });
  let location = '';
  const port = await serve(t, () => location);
  for (const host of ['127.0.0.1', '127.1', '[::1]', '10.0.0.1', 'localhost', 'a.localhost']) {
    const answer = await announce(t, proxy, `http://${host}:${port}/admin?off=1`);
    assert.match(`${answer}`, /is not asked/, host);
    location = `http://${host}:${port}/announce?x=1`;
    const moved = await announce(t, proxy, `http://tracker.test:${port}/announce`);
    assert.match(`${moved}`, /is not asked/, host);
  }
  assert.ok(proxy.asked.every((place) => place === `tracker.test:${port}`));
});

test('a UDP tracker is asked through a proxy that carries datagrams, by its name', async (t) => {
  await using proxy = await startTestProxy({ kind: 'socks5', udp: {}, names: NAMES });
  const server = await startTrackerServer({ host: '127.0.0.1', httpPort: null, udpPort: 0 });
  t.after(() => server.close());
  const url = `udp://tracker.test:${server.udpPort}/announce`;
  assert.ok(Number(await announce(t, proxy, url)) > 0);
  // The second datagram goes to whoever has answered the first.
  const places = ['tracker.test', '127.0.0.1'].map((host) => `${host}:${server.udpPort}`);
  assert.deepEqual(proxy.relayed, places);
});

for (const kind of ['socks5', 'http'] as const) {
  test(`${kind}: no UDP tracker is waited for that the proxy does not reach`, async (t) => {
    await using proxy = await startTestProxy({ kind });
    const answer = await announce(t, proxy, 'udp://tracker.test:1337/announce');
    assert.equal(answer, 'is not asked: UDP does not go through the proxy');
  });
}

test('a tracker that the proxy does not reach, and a proxy that is away, are told apart', async (t) => {
  const proxy = await startTestProxy({ kind: 'socks5' });
  const answer = await announce(t, proxy, 'https://unknown.test/announce');
  assert.equal(answer, 'cannot be asked: the proxy cannot reach it');
  await proxy.close();
  const away = await announce(t, proxy, 'http://unknown.test/announce');
  assert.match(`${away}`, /^cannot be asked: the proxy at 127.0.0.1:\d+ is not there/);
});
