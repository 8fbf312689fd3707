import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import type { TrackerStatus } from '../../discovery/index.ts';
import { instant } from '../../units/index.ts';
import type { Endpoint } from '../../wire/index.ts';
import { type AnnouncerTorrent, TrackerAnnouncer } from './tracker-announcer.ts';
import { startTrackerServer, type TrackerServer } from './tracker-server.ts';
import { TrackerTransport, type TransportOptions } from './tracker-transport.ts';

const HASH = new Uint8Array(20).fill(7);

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

/** Announcers still running: they say `stopped` before the trackers of their test close. */
const running = new Set<TrackerAnnouncer>();

async function stopAll(): Promise<void> {
  await Promise.all(Array.from(running, (announcer) => announcer.stop()));
  running.clear();
}

/** One torrent's announcer with what it reported; `until` waits for a report. */
class Client {
  readonly announcer: TrackerAnnouncer;
  readonly peers: Endpoint[] = [];
  readonly statuses: TrackerStatus[] = [];
  leftBytes = 100;
  #reported = Promise.withResolvers<void>();

  constructor(t: TestContext, tiers: readonly (readonly string[])[], more: ClientOptions = {}) {
    const transport = new TrackerTransport(more.transport);
    this.announcer = new TrackerAnnouncer(transport);
    running.add(this.announcer);
    t.after(async () => {
      await stopAll();
      transport.close();
    });
    this.announcer.start({
      infoHash: HASH,
      peerId: new Uint8Array(20).fill(more.port ?? 1),
      port: more.port ?? 1,
      tiers,
      getStats: () => ({ uploadedBytes: 0, downloadedBytes: 0, leftBytes: this.leftBytes }),
      onPeers: (peers) => {
        this.peers.push(...peers);
      },
      onStatus: (status) => {
        this.statuses.push(status);
        this.#reported.resolve();
      },
      ...more.torrent,
    });
  }

  /** The first status that fits, past or future. */
  async until(fits: (status: TrackerStatus) => boolean): Promise<TrackerStatus> {
    for (;;) {
      const found = this.statuses.find(fits);
      if (found) return found;
      this.#reported = Promise.withResolvers<void>();
      await this.#reported.promise;
    }
  }
}

interface ClientOptions {
  readonly port?: number;
  readonly transport?: TransportOptions;
  readonly torrent?: Partial<AnnouncerTorrent>;
}

const isWorking = ({ state }: TrackerStatus): boolean => state === 'working';
const hasFailed = ({ message }: TrackerStatus): boolean => message !== null;

async function tracker(t: TestContext, host = '127.0.0.1'): Promise<TrackerServer> {
  const server = await startTrackerServer({ host, httpPort: 0, udpPort: 0 });
  t.after(async () => {
    await stopAll();
    await server.close();
  });
  return server;
}

for (const host of ['127.0.0.1', '::1']) {
  for (const [index, protocol] of ['HTTP', 'UDP'].entries()) {
    const options = host === '::1' && !hasIpv6 ? { skip: 'no IPv6 here' } : {};
    test(
      `clients find each other through our tracker over ${protocol} on ${host}`,
      options,
      async (t) => {
        const server = await tracker(t, host);
        const url = server.announceUrls[index] ?? '';
        const first = new Client(t, [[url]], { port: 1001 });
        await first.until(isWorking);
        const second = new Client(t, [[url]], { port: 1002 });
        const { seeders, leechers } = await second.until(isWorking);
        assert.deepEqual(second.peers, [{ host, port: 1001 }]);
        assert.deepEqual([seeders, leechers], [0, 2]);
      },
    );

    test(
      `completed and stopped reach the tracker over ${protocol} on ${host}`,
      options,
      async (t) => {
        const server = await tracker(t, host);
        const client = new Client(t, [[server.announceUrls[index] ?? '']]);
        await client.until(isWorking);
        client.leftBytes = 0;
        client.announcer.completed();
        await client.until(({ state, seeders }) => state === 'working' && seeders === 1);
        const counts = { seeders: 1, leechers: 0, completed: 1 };
        assert.deepEqual({ ...(await client.announcer.scrape()) }, counts);
        await client.announcer.stop();
        assert.equal(server.stats().peers, 0);
      },
    );
  }
}

test('a tracker on :: serves IPv4 clients too, over both protocols', {
  skip: !hasIpv6,
}, async (t) => {
  const server = await tracker(t, '::');
  const urls = server.announceUrls.map((url) => url.replace('[::]', '127.0.0.1'));
  const clients = urls.map((url, index) => new Client(t, [[url]], { port: 1001 + index }));
  await Promise.all(clients.map((client) => client.until(isWorking)));
  assert.equal(server.stats().peers, 2);
  assert.deepEqual(await clients[0]?.announcer.scrape(), { seeders: 0, leechers: 2, completed: 0 });
});

test('a tracker that refuses connections is one plain line, and the next tier works', async (t) => {
  const server = await tracker(t);
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const dead = `http://127.0.0.1:${port}/announce`;
  const client = new Client(t, [[dead], [server.announceUrls[1] ?? '']]);
  await client.until(isWorking);
  const { message } = await client.until(hasFailed);
  assert.equal(message, `tracker http://127.0.0.1:${port} refuses connections`);
});

test('a UDP tracker that is silent is named after 15 s, and the tier goes on', async (t) => {
  const server = await tracker(t);
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  let now = 0;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const dead = `udp://127.0.0.1:${silent.address().port}`;
  // A random of almost 1 leaves the order of the tier as it is.
  let draws = 0;
  const random = (): number => (draws++ < 2 ? 0.999 : Math.random());
  const client = new Client(t, [[dead, server.announceUrls[0] ?? '']], {
    transport: { now: () => instant(now), random },
  });
  await once(silent, 'message');
  now = 15_000;
  t.mock.timers.tick(15_000);
  const { message } = await client.until(hasFailed);
  assert.equal(message, `tracker ${dead} did not answer within 15 s, still trying`);
  await client.until(isWorking);
  const stopped = client.announcer.stop();
  t.mock.timers.tick(2000);
  await stopped;
});

test('stopping waits for a silent tracker no longer than 2 s', async (t) => {
  const asked: string[] = [];
  const hanging = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (!request.url?.includes('event=stopped')) response.end('d8:intervali1800e5:peers0:e');
  }).listen(0, '127.0.0.1');
  t.after(() => {
    hanging.closeAllConnections();
    hanging.close();
  });
  await once(hanging, 'listening');
  const { port } = hanging.address() as AddressInfo;
  const client = new Client(t, [[`http://127.0.0.1:${port}/announce`]]);
  await client.until(isWorking);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const heard = once(hanging, 'request');
  const stopped = client.announcer.stop();
  await heard;
  t.mock.timers.tick(2000);
  await stopped;
  assert.match(asked.at(-1) ?? '', /&event=stopped&numwant=0&/);
  const reports = client.statuses.length;
  client.announcer.completed();
  assert.equal(client.statuses.length, reports);
});

test('a new port is told as soon as the tracker allows, and in the goodbye', async (t) => {
  const ports: (string | null)[] = [];
  let now = 0;
  const server = createServer((request, response) => {
    ports.push(new URL(request.url ?? '', 'http://tracker').searchParams.get('port'));
    if (ports.length === 1) {
      // It changes while the first announce is on its way, which takes a minute.
      client.announcer.moveTo(40_000);
      now = 60_000;
    }
    if (ports.length === 2) heard.resolve();
    response.end('d8:intervali1800e5:peers0:e');
  }).listen(0, '127.0.0.1');
  const heard = Promise.withResolvers<void>();
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new Client(t, [[`http://127.0.0.1:${port}/announce`]], {
    transport: { now: () => instant(now) },
  });
  await heard.promise;
  await client.announcer.stop();
  assert.deepEqual(ports, ['1', '40000', '40000']);
});

test('one name with an address in each family is announced to in both (BEP 7)', {
  skip: !hasIpv6,
}, async (t) => {
  const server = await tracker(t, '::');
  const resolve = async (): Promise<string[]> => ['127.0.0.1', '::1'];
  const url = `http://tracker.test:${server.httpPort}/announce`;
  const client = new Client(t, [[url]], { transport: { resolve } });
  await client.until(isWorking);
  await client.announcer.stop();
  // Both families said `started` and both said `stopped`.
  assert.equal(server.stats().peers, 0);
  assert.equal(server.stats().announces, 4);
});

test('a host name that does not exist is said so', async (t) => {
  const resolve = async (): Promise<string[]> => {
    throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
  };
  const client = new Client(t, [['http://nowhere.test/announce']], { transport: { resolve } });
  const { message } = await client.until(hasFailed);
  assert.equal(message, 'tracker http://nowhere.test has a host name that does not exist');
});

test('a name that turns out to be local is not asked for anything but an announce', async (t) => {
  const resolve = async (): Promise<string[]> => ['192.168.0.1'];
  const client = new Client(t, [['http://evil.test/reboot?now=1']], { transport: { resolve } });
  const { message } = await client.until(hasFailed);
  assert.match(message ?? '', /^tracker http:\/\/evil\.test is not asked: trackers on the local/);
});

test('an HTTP tracker that hangs is named after 15 s, and the tier goes on', async (t) => {
  const server = await tracker(t);
  const hanging = createServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => {
    hanging.closeAllConnections();
    hanging.close();
  });
  await once(hanging, 'listening');
  const { port } = hanging.address() as AddressInfo;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let draws = 0;
  const random = (): number => (draws++ < 2 ? 0.999 : Math.random());
  const tier = [`http://127.0.0.1:${port}/announce`, server.announceUrls[0] ?? ''];
  const client = new Client(t, [tier], { transport: { random } });
  await once(hanging, 'request');
  t.mock.timers.tick(15_000);
  const { message } = await client.until(hasFailed);
  assert.equal(
    message,
    `tracker http://127.0.0.1:${port} did not answer within 15 s, still trying`,
  );
  await client.until(isWorking);
  const stopped = client.announcer.stop();
  t.mock.timers.tick(2000);
  await stopped;
});
