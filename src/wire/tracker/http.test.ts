import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex } from '../../units/index.ts';
import { encodeBencode } from '../bencode/index.ts';
import { WireError } from '../wire-error.ts';
import { type AnnounceRequest, REPLY_PEERS_MAX } from './announce.ts';
import {
  encodeAnnounceReply,
  encodeRefusal,
  encodeScrapeReply,
  parseAnnounceReply,
  parseScrapeReply,
} from './http-reply.ts';
import { announceUrl, parseAnnounceQuery, parseScrapeQuery, scrapeUrl } from './http-request.ts';
import { parseTrackerUrl, type TrackerUrl } from './tracker-url.ts';

const ANNOUNCE: AnnounceRequest = {
  infoHash: fromHex('123456789abcdef123456789abcdef123456789a'),
  peerId: ascii('-BW0100-abcdefghijkl'),
  port: 6881,
  uploadedBytes: 1,
  downloadedBytes: 2,
  leftBytes: 3,
  event: 'started',
  key: 0xc0ffee,
  numWant: 50,
};

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function url(text: string): TrackerUrl {
  const parsed = parseTrackerUrl(text);
  assert.ok(parsed);
  return parsed;
}

function queryOf(text: string): string {
  return text.slice(text.indexOf('?') + 1);
}

test('the info-hash goes out as raw percent-encoded bytes (BEP 3)', () => {
  const text = announceUrl(url('http://tracker.test/announce'), ANNOUNCE, null);
  assert.match(
    text,
    /^http:\/\/tracker\.test\/announce\?info_hash=%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A&/,
  );
  assert.match(text, /&key=00C0FFEE&event=started&numwant=50&compact=1/);
});

test("a tracker's own query comes first and its tracker id is sent back", () => {
  const text = announceUrl(url('http://t.test/announce?passkey=1'), ANNOUNCE, 'a b');
  assert.match(text, /\?passkey=1&info_hash=/);
  assert.match(text, /&trackerid=a%20b$/);
});

test('a scrape asks where announce stood in the path (BEP 48)', () => {
  const hash = ascii('xxxxxxxxxxxxxxxxxxxx');
  assert.equal(
    scrapeUrl(url('http://t.test/a/announce.php'), [hash, hash]),
    'http://t.test/a/scrape.php?info_hash=xxxxxxxxxxxxxxxxxxxx&info_hash=xxxxxxxxxxxxxxxxxxxx',
  );
  assert.equal(scrapeUrl(url('http://t.test/a'), [hash]), null);
});

test('the example announce of BEP 7 is read', () => {
  const { announce, isCompact } = parseAnnounceQuery(
    'peer_id=aaaaaaaaaaaaaaaaaaaa&info_hash=aaaaaaaaaaaaaaaaaaaa&port=6881&left=0' +
      '&downloaded=100&uploaded=0&compact=1&ipv6=2001%3A%3A53Aa%3A64c%3A0%3A7f83%3Abc43%3Adec9',
  );
  assert.equal(isCompact, true);
  assert.equal(announce.port, 6881);
  assert.equal(announce.leftBytes, 0);
  assert.equal(announce.downloadedBytes, 100);
});

test('an announce that says nothing but the needed is a downloader without wishes', () => {
  const { announce } = parseAnnounceQuery(
    'info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1',
  );
  assert.equal(announce.event, 'none');
  assert.equal(announce.numWant, -1);
  assert.ok(announce.leftBytes > 0);
});

test('what is wrong with an announce is named', () => {
  const peer = 'peer_id=aaaaaaaaaaaaaaaaaaaa';
  assert.throws(() => parseAnnounceQuery(`${peer}&port=1`), /info_hash is missing/);
  assert.throws(() => parseAnnounceQuery(`info_hash=ab&${peer}&port=1`), /not 20 bytes/);
  assert.throws(
    () => parseAnnounceQuery(`info_hash=aaaaaaaaaaaaaaaaaaaa&${peer}&port=65536`),
    /port is above 65535/,
  );
});

test('the example reply of BEP 7 has a peer of each family', () => {
  const outcome = parseAnnounceReply(
    ascii('d8:intervali1800e5:peers6:iiiipp6:peers618:iiiiiiiiiiiiiiiippe'),
  );
  assert.ok(outcome.ok);
  assert.deepEqual(outcome.reply.peers, [
    { host: '105.105.105.105', port: 0x7070 },
    { host: '6969:6969:6969:6969:6969:6969:6969:6969', port: 0x7070 },
  ]);
  assert.equal(outcome.reply.intervalSeconds, 1800);
});

test('peers in dictionaries are read, those with a name instead of an address left out', () => {
  const peers = [
    { ip: '10.0.0.1', port: 1 },
    { ip: 'peer.example', port: 2 },
    { ip: '2001:0db8::1', port: 3 },
    { ip: '10.0.0.2', port: 70000 },
  ];
  const outcome = parseAnnounceReply(encodeBencode({ interval: 60, peers }));
  assert.deepEqual(outcome.ok && outcome.reply.peers, [
    { host: '10.0.0.1', port: 1 },
    { host: '2001:db8::1', port: 3 },
  ]);
});

test('a refusal carries its reason and how long to wait (BEP 31)', () => {
  const never = encodeBencode({ 'failure reason': 'banned', 'retry in': 'never' });
  const soon = encodeBencode({ 'failure reason': 'busy', 'retry in': 5 });
  const refusal = { reason: 'banned', retryInMinutes: 'never' };
  assert.deepEqual(parseAnnounceReply(never), { ok: false, refusal });
  assert.deepEqual(parseAnnounceReply(soon), {
    ok: false,
    refusal: { reason: 'busy', retryInMinutes: 5 },
  });
});

test('a reply cannot hand out more peers than anybody connects to', () => {
  const peers = new Uint8Array(6 * (REPLY_PEERS_MAX + 500)).fill(1);
  const outcome = parseAnnounceReply(encodeBencode({ peers }));
  assert.equal(outcome.ok && outcome.reply.peers.length, REPLY_PEERS_MAX);
});

test('a reply over 2 MiB is refused before it is read', () => {
  assert.throws(() => parseAnnounceReply(new Uint8Array(2 * 1024 * 1024 + 1)), WireError);
});

test('negative numbers in a reply count as absent', () => {
  const outcome = parseAnnounceReply(encodeBencode({ interval: -5, complete: -1, peers: '' }));
  assert.ok(outcome.ok);
  assert.equal(outcome.reply.intervalSeconds, 1800);
  assert.equal(outcome.reply.seeders, null);
});

test('the example scrape of BEP 48 is read', () => {
  const outcome = parseScrapeReply(
    ascii(
      'd5:filesd20:xxxxxxxxxxxxxxxxxxxxd8:completei11e10:downloadedi13772e10:incompletei19ee' +
        '20:yyyyyyyyyyyyyyyyyyyyd8:completei21e10:downloadedi206e10:incompletei20eeee',
    ),
  );
  assert.ok(outcome.ok);
  assert.deepEqual(outcome.reply.get(toHex(ascii('xxxxxxxxxxxxxxxxxxxx'))), {
    seeders: 11,
    completed: 13772,
    leechers: 19,
  });
  assert.equal(outcome.reply.size, 2);
});

const hash = fc.uint8Array({ minLength: 20, maxLength: 20 });
const size = fc.maxSafeNat();
const announces: fc.Arbitrary<AnnounceRequest> = fc.record({
  infoHash: hash,
  peerId: hash,
  port: fc.integer({ min: 0, max: 65535 }),
  uploadedBytes: size,
  downloadedBytes: size,
  leftBytes: size,
  event: fc.constantFrom('none', 'completed', 'started', 'stopped'),
  key: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  numWant: fc.integer({ min: -1, max: 10_000 }),
});

test('every announce survives the query string', () => {
  fc.assert(
    fc.property(announces, (announce) => {
      const text = announceUrl(url('http://t.test/announce'), announce, null);
      assert.deepEqual(parseAnnounceQuery(queryOf(text)).announce, structuredClone(announce));
    }),
  );
});

test('every scrape survives the query string', () => {
  fc.assert(
    fc.property(fc.array(hash, { minLength: 1, maxLength: 74 }), (hashes) => {
      const text = scrapeUrl(url('http://t.test/announce'), hashes) ?? '';
      assert.deepEqual(parseScrapeQuery(queryOf(text)), hashes);
    }),
  );
});

test('our replies are read by our own client, compact and not', () => {
  const peerId = new Uint8Array(20);
  const peers = [
    { host: '10.0.0.1', port: 1, peerId },
    { host: '2001:db8::2', port: 2, peerId },
  ];
  const counts = { seeders: 1, leechers: 2, completed: 3 };
  const times = { intervalSeconds: 1800, minIntervalSeconds: 60 };
  for (const isCompact of [true, false]) {
    const answer = { ...times, counts, peers, externalIp: '192.0.2.7' };
    const outcome = parseAnnounceReply(encodeAnnounceReply(answer, isCompact));
    assert.ok(outcome.ok);
    assert.deepEqual(outcome.reply, {
      ...times,
      seeders: 1,
      leechers: 2,
      peers: peers.map(({ host, port }) => ({ host, port })),
      warning: null,
      trackerId: null,
      externalIp: '192.0.2.7',
    });
  }
  const scraped = parseScrapeReply(encodeScrapeReply([[ANNOUNCE.infoHash, counts]]));
  assert.deepEqual(scraped.ok && scraped.reply.get(toHex(ANNOUNCE.infoHash)), counts);
  const refusal = { reason: 'no', retryInMinutes: 3 };
  assert.deepEqual(parseScrapeReply(encodeRefusal(refusal)), { ok: false, refusal });
});

test('arbitrary replies and queries are read or throw WireError, nothing else', () => {
  const value = fc.oneof(fc.integer(), fc.string(), fc.uint8Array(), fc.constant([]));
  const keys = [
    'interval',
    'peers',
    'peers6',
    'failure reason',
    'retry in',
    'files',
    'external ip',
  ];
  const dictionaries = fc.dictionary(fc.constantFrom(...keys), value).map(encodeBencode);
  const views = fc.oneof(dictionaries, fc.uint8Array());
  const queries = fc.oneof(fc.string(), fc.stringMatching(/^(info_hash|port)=[%&=a-f0-9]{0,60}$/));
  fc.assert(
    fc.property(views, queries, (view, query) => {
      const attempts = [
        () => parseAnnounceReply(view),
        () => parseScrapeReply(view),
        () => parseAnnounceQuery(query),
        () => parseScrapeQuery(query),
      ];
      for (const attempt of attempts) {
        try {
          attempt();
        } catch (error) {
          assert.ok(error instanceof WireError);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
