import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant, seededRandom, toHex } from '../../units/index.ts';
import { decodeLsd, encodeLsd, LocalDiscovery, type LsdAnnounce } from './index.ts';

const HASH = new Uint8Array(20).fill(0xab);
const ANNOUNCE: LsdAnnounce = { port: 6881, infoHashes: [HASH], cookie: 'name=1' };
const MINUTE_MS = 60_000;

const at = (minutes: number): ReturnType<typeof instant> => instant(minutes * MINUTE_MS);
const hashes = (count: number): { infoHash: Uint8Array }[] =>
  Array.from({ length: count }, (_, nth) => ({
    infoHash: new Uint8Array(20).fill(nth & 255).fill(nth >> 8, 0, 1),
  }));
const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

test('an announce is written as in BEP 14, for each of the two groups', () => {
  assert.equal(
    Buffer.from(encodeLsd(ANNOUNCE, 4)).toString(),
    'BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n' +
      `Infohash: ${'ab'.repeat(20)}\r\ncookie: name=1\r\n\r\n\r\n`,
  );
  assert.match(Buffer.from(encodeLsd(ANNOUNCE, 6)).toString(), /Host: \[ff15::efc0:988f\]:6771\r/);
});

test('an announce of twenty torrents stays below 1400 bytes', () => {
  const infoHashes = hashes(20).map(({ infoHash }) => infoHash);
  assert.ok(encodeLsd({ port: 65535, infoHashes, cookie: 'f'.repeat(12) }, 6).length <= 1400);
});

test("other clients' spelling is read: case, order, unknown headers, no cookie", () => {
  const port = 'port:6881 ';
  const hash = `INFOHASH: ${'AB'.repeat(20)}`;
  const text = `BT-SEARCH * HTTP/1.1\r\n${hash}\r\nX-New: 1\r\n${port}\r\n\r\n`;
  assert.deepEqual(decodeLsd(latin1(text)), { ...ANNOUNCE, cookie: null });
});

test('what lacks a port or an info-hash, or is something else, is no announce', () => {
  const head = 'BT-SEARCH * HTTP/1.1\r\n';
  const hash = `Infohash: ${'ab'.repeat(20)}\r\n`;
  for (const text of [
    `${head}Port: 6881\r\n\r\n`,
    `${head}${hash}\r\n`,
    `${head}Port: 0\r\n${hash}\r\n`,
    `${head}Port: 65536\r\n${hash}\r\n`,
    `M-SEARCH * HTTP/1.1\r\nPort: 1\r\n${hash}\r\n`,
  ]) {
    assert.equal(decodeLsd(latin1(text)), null);
  }
});

test('whatever bytes come, they are an announce or none', () => {
  const shaped = fc.string().map((text) => latin1(`BT-SEARCH * HTTP/1.1\r\nPort: 1\r\n${text}`));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 3000 }), shaped), (view) => {
      decodeLsd(view);
    }),
    { numRuns: 1000 },
  );
});

test('what is written is read again', () => {
  const hash = fc.uint8Array({ minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 65535 }),
      fc.array(hash, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(4 as const, 6 as const),
      (port, infoHashes, group) => {
        const announce = { port, infoHashes, cookie: 'c' };
        assert.deepEqual(decodeLsd(encodeLsd(announce, group)), announce);
      },
    ),
    { numRuns: 300 },
  );
});

test('a torrent is announced at once and then every five minutes', () => {
  const lsd = new LocalDiscovery(seededRandom(1));
  const one = (): { infoHash: Uint8Array }[] => hashes(1);
  assert.equal(lsd.next(at(0), 6881, one)?.infoHashes.length, 1);
  assert.equal(lsd.next(at(4.9), 6881, one), null);
  assert.equal(lsd.next(at(5), 6881, one)?.port, 6881);
});

test('nothing is announced while nobody can connect to us', () => {
  const lsd = new LocalDiscovery(seededRandom(1));
  assert.equal(
    lsd.next(at(0), 0, () => hashes(1)),
    null,
  );
});

test('many torrents take turns: one announce a minute after the first three', () => {
  const lsd = new LocalDiscovery(seededRandom(1));
  const said = new Map<string, number>();
  let announces = 0;
  for (let second = 0; second < 600; second++) {
    const announce = lsd.next(instant(second * 1_000), 6881, () => hashes(90));
    if (!announce) continue;
    announces++;
    for (const infoHash of announce.infoHashes) {
      const key = toHex(infoHash);
      assert.ok(second - (said.get(key) ?? -Infinity) >= 300, 'no torrent sooner than that');
      said.set(key, second);
    }
  }
  assert.equal(said.size, 90);
  assert.ok(announces <= 3 + 10, `${announces}`);
});

test('our own announce, one from the internet and one too many are not heeded', () => {
  const lsd = new LocalDiscovery(seededRandom(1));
  const own = lsd.next(at(0), 6881, () => [{ infoHash: HASH }]);
  assert.ok(own);
  assert.deepEqual(lsd.receive(encodeLsd(own, 4), '192.168.1.2', at(0)), []);
  const theirs = encodeLsd(ANNOUNCE, 4);
  assert.deepEqual(lsd.receive(theirs, '8.8.8.8', at(0)), []);
  assert.deepEqual(lsd.receive(theirs, '192.168.1.2', at(0)), [
    { infoHash: HASH, host: '192.168.1.2', port: 6881 },
  ]);
  for (let nth = 0; nth < 200; nth++) lsd.receive(theirs, '192.168.1.2', at(0));
  assert.deepEqual(lsd.receive(theirs, '192.168.1.2', at(0)), []);
  assert.equal(lsd.receive(theirs, '192.168.1.2', at(1)).length, 1);
});
