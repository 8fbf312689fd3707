import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Instant, instant, seededRandom } from '../units/index.ts';
import {
  type AnnounceEvent,
  type AnnounceRequest,
  announceUrl,
  decodeUdpReply,
  encodeUdpRequest,
  type Family,
  parseAnnounceReply,
  parseScrapeReply,
  parseTrackerUrl,
  scrapeUrl,
  type UdpReply,
  type UdpRequest,
} from '../wire/index.ts';
import { TrackerService } from './tracker-service.ts';

const HASH = new Uint8Array(20).fill(1);
const OTHER = new Uint8Array(20).fill(2);

function service(limits = {}, isAllowed?: (infoHash: Uint8Array) => boolean): TrackerService {
  const mac = (message: Uint8Array): Uint8Array =>
    createHmac('sha256', 'secret').update(message).digest();
  const random = seededRandom(1);
  return new TrackerService({ random, mac, ...(isAllowed ? { isAllowed } : {}) }, limits);
}

function at(seconds: number): Instant {
  return instant(seconds * 1000);
}

interface Peer {
  readonly host: string;
  readonly port: number;
  readonly left?: number;
  readonly event?: AnnounceEvent;
  readonly numWant?: number;
  readonly infoHash?: Uint8Array;
}

function requestOf({ port, left = 1, event = 'none', numWant = -1, infoHash = HASH }: Peer) {
  const peerId = new Uint8Array(20).fill(port & 0xff);
  const sizes = { uploadedBytes: 0, downloadedBytes: 0, leftBytes: left };
  return { infoHash, peerId, port, ...sizes, event, key: 1, numWant } satisfies AnnounceRequest;
}

function pathAndQuery(text: string): { path: string; query: string } {
  const url = new URL(text);
  return { path: url.pathname, query: url.search.slice(1) };
}

/** Announces over HTTP and gives the reply, or the refusal's reason. */
function announce(tracker: TrackerService, peer: Peer, seconds = 0) {
  const url = parseTrackerUrl('http://t.test/announce');
  assert.ok(url);
  const target = pathAndQuery(announceUrl(url, requestOf(peer), null));
  const answer = tracker.http({ ...target, host: peer.host }, at(seconds));
  assert.ok(typeof answer.body !== 'string');
  const outcome = parseAnnounceReply(answer.body);
  return outcome.ok ? outcome.reply : outcome.refusal.reason;
}

function peersOf(tracker: TrackerService, peer: Peer, seconds = 0): string[] {
  const reply = announce(tracker, peer, seconds);
  assert.ok(typeof reply !== 'string', String(reply));
  return reply.peers.map(({ host, port }) => `${host}:${port}`).sort();
}

function scrape(tracker: TrackerService, infoHash: Uint8Array, seconds = 0) {
  const url = parseTrackerUrl('http://t.test/announce');
  assert.ok(url);
  const target = pathAndQuery(scrapeUrl(url, [infoHash]) ?? '');
  const answer = tracker.http({ ...target, host: '10.0.0.1' }, at(seconds));
  assert.ok(typeof answer.body !== 'string');
  const outcome = parseScrapeReply(answer.body);
  assert.ok(outcome.ok);
  return [...outcome.reply.values()][0];
}

function udp(
  tracker: TrackerService,
  request: UdpRequest,
  {
    host = '10.0.0.1',
    family = 4,
    seconds = 0,
  }: { host?: string; family?: Family; seconds?: number } = {},
): UdpReply | null {
  const reply = tracker.udp({ view: encodeUdpRequest(request), host, family }, at(seconds));
  return reply && decodeUdpReply(reply, family);
}

function connectionId(tracker: TrackerService, host = '10.0.0.1', seconds = 0): bigint {
  const reply = udp(tracker, { action: 'connect', transactionId: 5 }, { host, seconds });
  assert.ok(reply?.action === 'connect' && reply.transactionId === 5);
  return reply.connectionId;
}

test('each peer is told of the others, not of itself', () => {
  const tracker = service();
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.1', port: 1 }), []);
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.2', port: 2 }), ['10.0.0.1:1']);
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.1', port: 1 }), ['10.0.0.2:2']);
});

test('two peers behind one address are two peers', () => {
  const tracker = service();
  announce(tracker, { host: '10.0.0.1', port: 1 });
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.1', port: 2 }), ['10.0.0.1:1']);
});

test('the address an announce names is ignored: nobody is sent to a third', () => {
  const tracker = service();
  const url = parseTrackerUrl('http://t.test/announce');
  assert.ok(url);
  const peer = { host: '10.0.0.1', port: 1 };
  const { path, query } = pathAndQuery(announceUrl(url, requestOf(peer), null));
  const named = '&ip=203.0.113.9&ipv4=203.0.113.9:1&ipv6=%5B2001:db8::9%5D:1';
  tracker.http({ path, query: `${query}${named}`, host: peer.host }, at(0));
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.77', port: 7 }), ['10.0.0.1:1']);
});

test('swarms do not mix', () => {
  const tracker = service();
  announce(tracker, { host: '10.0.0.1', port: 1 });
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.2', port: 2, infoHash: OTHER }), []);
});

test('a seeder is not told of other seeders', () => {
  const tracker = service();
  announce(tracker, { host: '10.0.0.1', port: 1, left: 0 });
  announce(tracker, { host: '10.0.0.2', port: 2, left: 5 });
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.3', port: 3, left: 0 }), ['10.0.0.2:2']);
});

test('over HTTP both families are told, over UDP the one of the datagram', () => {
  const tracker = service();
  announce(tracker, { host: '2001:db8::1', port: 6 });
  announce(tracker, { host: '10.0.0.9', port: 4 });
  const both = peersOf(tracker, { host: '10.0.0.1', port: 1 });
  assert.deepEqual(both, ['10.0.0.9:4', '2001:db8::1:6']);
  const request = {
    action: 'announce',
    transactionId: 1,
    connectionId: connectionId(tracker),
    announce: requestOf({ host: '10.0.0.1', port: 1 }),
    urlData: '',
  } as const;
  const reply = udp(tracker, request);
  assert.deepEqual(reply?.action === 'announce' && reply.peers, [{ host: '10.0.0.9', port: 4 }]);
});

test('a client of a dual-stack socket is its IPv4 self', () => {
  const tracker = service();
  announce(tracker, { host: '::ffff:10.0.0.1', port: 1 });
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.2', port: 2 }), ['10.0.0.1:1']);
});

test('stopped takes a peer out', () => {
  const tracker = service();
  announce(tracker, { host: '10.0.0.1', port: 1 });
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.1', port: 1, event: 'stopped' }), []);
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.2', port: 2 }), []);
  assert.equal(tracker.stats().peers, 1);
});

test('nobody can take out the peer of another address', () => {
  const tracker = service();
  announce(tracker, { host: '10.0.0.1', port: 1 });
  announce(tracker, { host: '10.0.0.66', port: 1, event: 'stopped' });
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.2', port: 2 }), ['10.0.0.1:1']);
});

test('a peer that is silent for two intervals is gone', () => {
  const tracker = service();
  announce(tracker, { host: '10.0.0.1', port: 1 }, 0);
  announce(tracker, { host: '10.0.0.2', port: 2 }, 3000);
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.3', port: 3 }, 3901), ['10.0.0.2:2']);
  tracker.expire(at(3901 + 3901));
  assert.deepEqual(tracker.stats().swarms, 0);
  assert.deepEqual(tracker.stats().peers, 0);
});

test('who announces with port 0 is answered but not handed out', () => {
  const tracker = service();
  announce(tracker, { host: '10.0.0.1', port: 1 });
  assert.deepEqual(peersOf(tracker, { host: '10.0.0.2', port: 0 }), ['10.0.0.1:1']);
  assert.equal(tracker.stats().peers, 1);
});

test('a scrape counts seeders, leechers and completed downloads (BEP 48)', () => {
  const tracker = service();
  announce(tracker, { host: '10.0.0.1', port: 1, left: 0 });
  announce(tracker, { host: '10.0.0.2', port: 2, event: 'started' });
  announce(tracker, { host: '10.0.0.3', port: 3, event: 'started' });
  announce(tracker, { host: '10.0.0.3', port: 3, left: 0, event: 'completed' });
  assert.deepEqual(scrape(tracker, HASH), { seeders: 2, leechers: 1, completed: 1 });
  assert.deepEqual(scrape(tracker, OTHER), { seeders: 0, leechers: 0, completed: 0 });
});

test('the completed count cannot be inflated by repeating the event', () => {
  const tracker = service();
  for (let times = 0; times < 5; times++) {
    announce(tracker, { host: '10.0.0.1', port: 1, left: 0, event: 'completed' });
  }
  assert.equal(scrape(tracker, HASH)?.completed, 0);
});

test('a reply holds at most 200 peers, and 50 unless more are asked for', () => {
  const tracker = service();
  for (let port = 1; port <= 250; port++) announce(tracker, { host: '10.0.0.1', port });
  const asking = { host: '10.0.0.2', port: 1 };
  assert.equal(peersOf(tracker, { ...asking, numWant: 5000 }).length, 200);
  assert.equal(peersOf(tracker, asking).length, 50);
  assert.equal(peersOf(tracker, { ...asking, numWant: 0 }).length, 0);
});

test('every peer of a large swarm has its turn in the samples, none twice in one', () => {
  const tracker = service();
  for (let port = 1; port <= 200; port++) announce(tracker, { host: '10.0.0.1', port });
  const seen = new Map<string, number>();
  for (let round = 0; round < 200; round++) {
    const peers = peersOf(tracker, { host: '10.0.0.1', port: 1, numWant: 20 });
    assert.equal(new Set(peers).size, 20);
    for (const peer of peers) seen.set(peer, (seen.get(peer) ?? 0) + 1);
  }
  assert.equal(seen.size, 199);
  // 20 are expected of each; a factor of four either way would be no chance.
  assert.ok(Math.max(...seen.values()) < 80 && Math.min(...seen.values()) > 5);
});

test('one address can fill neither a swarm nor the tracker', () => {
  const tracker = service({ peersPerNetworkPerSwarmMax: 2, peersPerNetworkMax: 3 });
  announce(tracker, { host: '2001:db8::1', port: 1 });
  announce(tracker, { host: '2001:db8::2', port: 1 });
  // An IPv6 customer has a whole /64 of addresses: it counts as one.
  assert.match(
    String(announce(tracker, { host: '2001:db8::3', port: 1 })),
    /too many peers of this torrent/,
  );
  announce(tracker, { host: '2001:db8::3', port: 1, infoHash: OTHER });
  const third = new Uint8Array(20).fill(3);
  assert.match(
    String(announce(tracker, { host: '2001:db8::4', port: 1, infoHash: third })),
    /too many peers announce from your address/,
  );
  assert.equal(typeof announce(tracker, { host: '2001:db8::1', port: 1 }), 'object');
});

test('what one address may have, unless told otherwise: 256 peers of a torrent, 20,000 in all', () => {
  const tracker = service();
  const infoHash = (nth: number): Uint8Array => Uint8Array.from(HASH, (_, at) => nth >> (8 * at));
  const fill = (nth: number, count: number): void => {
    for (let port = 1; port <= count; port++) {
      announce(tracker, { host: '10.0.0.1', port, numWant: 0, infoHash: infoHash(nth) });
    }
  };
  fill(1, 300);
  assert.equal(scrape(tracker, infoHash(1))?.leechers, 256);
  for (let nth = 2; nth <= 80; nth++) fill(nth, 256);
  assert.equal(tracker.stats().peers, 20_000);
  const other = announce(tracker, { host: '10.0.0.2', port: 1, infoHash: infoHash(1) });
  assert.equal(typeof other, 'object');
});

test('memory is bounded: a full tracker refuses newcomers until others expire', () => {
  const tracker = service({ peersMax: 2, swarmsMax: 1 });
  announce(tracker, { host: '10.0.0.1', port: 1 });
  assert.match(
    String(announce(tracker, { host: '10.0.0.2', port: 1, infoHash: OTHER })),
    /tracker is full/,
  );
  announce(tracker, { host: '10.0.0.2', port: 1 });
  assert.match(String(announce(tracker, { host: '10.0.0.3', port: 1 })), /tracker is full/);
  const later = announce(tracker, { host: '10.0.0.3', port: 1, infoHash: OTHER }, 10_000);
  assert.equal(typeof later, 'object');
});

test('a swarm everybody left makes room for another', () => {
  const tracker = service({ swarmsMax: 1 });
  announce(tracker, { host: '10.0.0.1', port: 1 });
  announce(tracker, { host: '10.0.0.1', port: 1, event: 'stopped' });
  const other = announce(tracker, { host: '10.0.0.1', port: 1, infoHash: OTHER });
  assert.equal(typeof other, 'object');
});

test('a tracker with an allow-list serves nothing else', () => {
  const tracker = service({}, (infoHash) => infoHash[0] === 1);
  assert.equal(typeof announce(tracker, { host: '10.0.0.1', port: 1 }), 'object');
  assert.match(
    String(announce(tracker, { host: '10.0.0.1', port: 1, infoHash: OTHER })),
    /does not serve that torrent/,
  );
});

test('what is wrong with a request is said in a refusal, other paths are not found', () => {
  const tracker = service();
  const http = (path: string, query: string) =>
    tracker.http({ path, query, host: '10.0.0.1' }, at(0));
  const answer = http('/announce', 'info_hash=short');
  assert.ok(answer.status === 200 && typeof answer.body !== 'string');
  const outcome = parseAnnounceReply(answer.body);
  assert.match(outcome.ok ? '' : outcome.refusal.reason, /info_hash is not 20 bytes/);
  assert.equal(http('/', '').status, 404);
  assert.equal(JSON.parse(String(http('/stats', '').body)).malformed, 1);
});

test('a connection id works for its address only, and for at least two minutes (BEP 15)', () => {
  const tracker = service();
  const id = connectionId(tracker, '10.0.0.1', 59);
  const request: UdpRequest = {
    ...{ action: 'scrape', transactionId: 1, connectionId: id, infoHashes: [HASH] },
  };
  assert.equal(udp(tracker, request, { seconds: 59 + 120 })?.action, 'scrape');
  assert.equal(udp(tracker, request, { host: '10.0.0.2', seconds: 60 }), null);
  assert.equal(udp(tracker, request, { seconds: 59 + 181 }), null);
});

test('no answer to an unproven address is longer than what it sent', () => {
  const tracker = service();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (view, isConnect) => {
      if (isConnect && view.length >= 16)
        view.set([0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0]);
      const reply = tracker.udp({ view, host: '10.9.9.9', family: 4 }, at(0));
      assert.ok((reply?.length ?? 0) <= view.length);
    }),
    { numRuns: 1000 },
  );
});

test('who only guesses a connection id is told of no peers, and not answered at all', () => {
  const tracker = service();
  for (let port = 1; port <= 250; port++) announce(tracker, { host: '10.0.0.1', port });
  const ask = requestOf({ host: '10.9.9.9', port: 1, numWant: 200 });
  const head = { transactionId: 1, connectionId: 0n } as const;
  const forged: readonly UdpRequest[] = [
    { ...head, action: 'announce', announce: ask, urlData: '' },
    { ...head, action: 'scrape', infoHashes: [HASH] },
  ];
  for (const request of forged) assert.equal(udp(tracker, request, { host: '10.9.9.9' }), null);
});

test('a UDP reply over IPv6 fits in one packet', () => {
  const tracker = service();
  for (let port = 1; port <= 250; port++) announce(tracker, { host: '2001:db8::1', port });
  const host = '2001:db8::2';
  const id = connectionId(tracker, host);
  const announceRequest = requestOf({ host, port: 1, numWant: 200 });
  const asking = { action: 'announce', transactionId: 1, connectionId: id, urlData: '' } as const;
  const view = encodeUdpRequest({ ...asking, announce: announceRequest });
  const reply = tracker.udp({ view, host, family: 6 }, at(0));
  assert.ok(reply && reply.length > 1000 && reply.length <= 1232);
});

test('whatever is announced, the totals are the sums of the swarms', () => {
  const step = fc.record({
    host: fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1'),
    port: fc.integer({ min: 0, max: 4 }),
    left: fc.integer({ min: 0, max: 1 }),
    event: fc.constantFrom<AnnounceEvent>('none', 'started', 'completed', 'stopped'),
    infoHash: fc.constantFrom(HASH, OTHER),
    seconds: fc.integer({ min: 0, max: 2500 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const tracker = service({ peersMax: 6, swarmsMax: 2, peersPerNetworkMax: 5 });
      let now = 0;
      for (const { seconds, ...peer } of steps) {
        now += seconds;
        announce(tracker, peer, now);
        tracker.expire(at(now));
        // Scraping expires silent peers, so it comes before the totals are read.
        const sums = [HASH, OTHER].map((hash) => {
          const counts = scrape(tracker, hash, now);
          return (counts?.seeders ?? 0) + (counts?.leechers ?? 0);
        });
        assert.equal(tracker.stats().peers, (sums[0] ?? 0) + (sums[1] ?? 0));
        assert.ok(tracker.stats().peers <= 6);
      }
    }),
    { numRuns: 500 },
  );
});
