import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseTrackerUrl, type TrackerUrl } from '../../wire/index.ts';
import { resolveTracker } from './resolve-tracker.ts';
import { TrackerError } from './tracker-error.ts';
import { startTrackerServer } from './tracker-server.ts';
import { TrackerTransport, type TransportOptions } from './tracker-transport.ts';

const ANNOUNCE = {
  infoHash: new Uint8Array(20).fill(0xff),
  peerId: new Uint8Array(20).fill(2),
  port: 6881,
  uploadedBytes: 0,
  downloadedBytes: 0,
  leftBytes: 1,
  event: 'started',
  key: 1,
  numWant: 50,
} as const;

/** A tracker that answers what the test wants; gives its URL. */
async function fakeTracker(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`;
}

async function announce(t: TestContext, text: string, options: TransportOptions = {}) {
  const transport = new TrackerTransport(options);
  t.after(() => transport.close());
  const url = parse(text);
  const [target] = await transport.resolve(url);
  assert.ok(target);
  const onLate = (): void => {};
  const { signal } = new AbortController();
  return transport.announce({ url, target, announce: ANNOUNCE, trackerId: null, onLate, signal });
}

function parse(text: string): TrackerUrl {
  const url = parseTrackerUrl(text);
  assert.ok(url);
  return url;
}

test('the info-hash travels as raw bytes and the user agent is ours', async (t) => {
  const requests: IncomingMessage[] = [];
  const url = await fakeTracker(t, (request, response) => {
    requests.push(request);
    response.end('d8:intervali900e5:peers0:e');
  });
  const outcome = await announce(t, url, { userAgent: 'Bidwidth/0.1.0' });
  assert.equal(outcome.ok && outcome.reply.intervalSeconds, 900);
  assert.match(requests[0]?.url ?? '', /^\/announce\?info_hash=(%FF){20}&peer_id=(%02){20}&/);
  assert.equal(requests[0]?.headers['user-agent'], 'Bidwidth/0.1.0');
});

test('a compressed reply is unpacked', async (t) => {
  const url = await fakeTracker(t, (_request, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipSync('d8:intervali900e5:peers0:e'));
  });
  const outcome = await announce(t, url);
  assert.equal(outcome.ok && outcome.reply.intervalSeconds, 900);
});

test('a reply that unpacks to more than 2 MiB is not read to the end', async (t) => {
  const url = await fakeTracker(t, (_request, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipSync(new Uint8Array(64 * 1024 * 1024)));
  });
  await assert.rejects(announce(t, url), /more than 2 MiB/);
});

test('a reply that never ends is cut off at 2 MiB', async (t) => {
  const url = await fakeTracker(t, (_request, response) => {
    const more = (): void => {
      while (response.write(new Uint8Array(65_536)));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(announce(t, url), TrackerError);
});

test('a packed reply that has an end, and goes on all the same, is read to that end', async (t) => {
  const url = await fakeTracker(t, (_request, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.write(Buffer.concat([gzipSync('d8:intervali900e5:peers0:e'), Buffer.alloc(9)]));
  });
  const outcome = await announce(t, url);
  assert.equal(outcome.ok && outcome.reply.intervalSeconds, 900);
});

test('a reply that is not a tracker’s is said so', async (t) => {
  const url = await fakeTracker(t, (_request, response) => {
    response.end('<html>Welcome to your router</html>');
  });
  await assert.rejects(announce(t, url), { code: 'WIRE_BENCODE' });
});

test('a tracker that does not speak TLS is not blamed for its certificate', async (t) => {
  const url = await fakeTracker(t, (_request, response) => response.end());
  await assert.rejects(announce(t, url.replace('http:', 'https:')), {
    name: 'TrackerError',
    message: /^cannot be talked to by TLS \(ERR_SSL_\w+\)$/,
  });
});

test('an error status is said with its number, or with the reason in the body', async (t) => {
  const plain = await fakeTracker(t, (_request, response) => {
    response.writeHead(503, { 'retry-after': '120' }).end('busy');
  });
  await assert.rejects(announce(t, plain), {
    message: 'answered HTTP 503',
    details: { retryAfterMs: 120_000 },
  });
  const explained = await fakeTracker(t, (_request, response) => {
    response.writeHead(403).end('d14:failure reason6:bannede');
  });
  const outcome = await announce(t, explained);
  assert.equal(!outcome.ok && outcome.refusal.reason, 'banned');
});

test('a tracker that accepts but does not answer is given up after the timeout', async (t) => {
  const url = await fakeTracker(t, () => {});
  await assert.rejects(announce(t, url, { httpTimeoutMs: 1000 }), {
    message: 'did not answer within 1 s',
  });
});

test('a redirect is followed, credentials stay with their origin', async (t) => {
  const headers: (string | undefined)[] = [];
  const second = await fakeTracker(t, (request, response) => {
    headers.push(request.headers.authorization);
    response.end('d8:intervali900e5:peers0:e');
  });
  const first = await fakeTracker(t, (request, response) => {
    headers.push(request.headers.authorization);
    const query = request.url?.slice(request.url.indexOf('?')) ?? '';
    response.writeHead(302, { location: `${second}${query}` }).end();
  });
  const outcome = await announce(t, first.replace('http://', 'http://user:p%40ss@'));
  assert.ok(outcome.ok);
  assert.deepEqual(headers, [`Basic ${btoa('user:p@ss')}`, undefined]);
});

test('a redirect to another path on the local network is refused (SSRF)', async (t) => {
  let reached = 0;
  const victim = await fakeTracker(t, (_request, response) => {
    reached++;
    response.end();
  });
  const url = await fakeTracker(t, (_request, response) => {
    response.writeHead(302, { location: victim.replace('/announce', '/shutdown') }).end();
  });
  await assert.rejects(announce(t, url), { code: 'TRACKER_FORBIDDEN' });
  assert.equal(reached, 0);
});

test('redirects in a circle end', async (t) => {
  let requests = 0;
  const url = await fakeTracker(t, (_request, response) => {
    requests++;
    response.writeHead(302, { location: '/announce' }).end();
  });
  await assert.rejects(announce(t, url), /redirects more than 5 times/);
  assert.equal(requests, 6);
});

test('a redirect to a file or another protocol is refused', async (t) => {
  for (const location of ['file:///etc/passwd', 'udp://127.0.0.1:1', 'gopher://x/', 'http://[']) {
    const url = await fakeTracker(t, (_request, response) => {
      response.writeHead(302, { location }).end();
    });
    await assert.rejects(announce(t, url), { code: 'TRACKER_FORBIDDEN' });
  }
});

test('a name that is an address to the URL parser only is judged as that address', async () => {
  const resolve = async (): Promise<string[]> => ['8.8.8.8'];
  await assert.rejects(
    async () => {
      const transport = new TrackerTransport({ resolve });
      const url = parse('http://127.1/announce');
      const [target] = await transport.resolve(url);
      assert.ok(target);
      const { signal } = new AbortController();
      const ask = { url, target, onLate: () => {}, signal };
      await transport.announce({ ...ask, announce: ANNOUNCE, trackerId: null });
    },
    { code: 'TRACKER_FORBIDDEN' },
  );
});

test('of several addresses the forbidden ones are left out', async () => {
  const resolve = async (): Promise<string[]> => ['127.0.0.1', '8.8.8.8', '2606:4700::1111'];
  const targets = await resolveTracker(parse('http://t.test/x'), null, resolve);
  assert.deepEqual(targets, [
    { family: 4, addresses: ['8.8.8.8'] },
    { family: 6, addresses: ['2606:4700::1111'] },
  ]);
});

test('of a name with many addresses eight are asked: it is no list of doors to knock at', async () => {
  const resolve = async (): Promise<string[]> =>
    Array.from({ length: 100 }, (_, nth) => `8.8.4.${nth}`);
  const [target] = await resolveTracker(parse('http://t.test/x'), null, resolve);
  assert.equal(target?.addresses.length, 8);
});

test('a taken port is named with what to do, for either protocol', async (t) => {
  const first = await startTrackerServer({ host: '127.0.0.1', httpPort: 0, udpPort: 0 });
  t.after(() => first.close());
  const { httpPort, udpPort } = first;
  const host = '127.0.0.1';
  await assert.rejects(startTrackerServer({ host, httpPort, udpPort: null }), {
    code: 'TRACKER_PORT_TAKEN',
    message: takenMessage(`${host}:${httpPort} (TCP)`),
  });
  await assert.rejects(startTrackerServer({ host, httpPort: null, udpPort }), {
    code: 'TRACKER_PORT_TAKEN',
    message: `tracker cannot listen on ${host}:${udpPort} (UDP): the port is taken, choose another`,
  });
  await assert.rejects(startTrackerServer({ host: '192.0.2.1', httpPort: 0, udpPort: null }), {
    code: 'TRACKER_LISTEN',
  });
});

test('our tracker answers statistics and nonsense without falling over', async (t) => {
  const server = await startTrackerServer({ host: '127.0.0.1', httpPort: 0, udpPort: null });
  t.after(() => server.close());
  const base = `http://127.0.0.1:${server.httpPort}`;
  const bodies: string[] = [];
  for (const path of [
    '/announce?info_hash=%zz',
    '/announce',
    '/scrape',
    '/%zz',
    '/x?y',
    '/stats',
  ]) {
    bodies.push(await (await fetch(`${base}${path}`)).text());
  }
  assert.match(bodies[0] ?? '', /failure reason/);
  assert.equal(JSON.parse(bodies.at(-1) ?? '').peers, 0);
});

function takenMessage(where: string): string {
  return `tracker cannot listen on ${where}: the port is taken, choose another`;
}
