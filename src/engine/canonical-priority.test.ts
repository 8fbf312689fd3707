import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Swarm } from '../sim/index.ts';
import { fromHex, instant } from '../units/index.ts';
import { crc32c } from '../wire/index.ts';
import { canonicalPriority, OwnAddress } from './canonical-priority.ts';
import { PeerBook } from './peer-book.ts';

function priority(a: string, b: string, ports: readonly [number, number] = [0, 0]): number | null {
  return canonicalPriority({ host: a, port: ports[0] }, { host: b, port: ports[1] });
}

test('the vectors of BEP 40', () => {
  assert.equal(priority('123.213.32.10', '98.76.54.32'), 0xec2d7224);
  assert.equal(priority('123.213.32.10', '123.213.32.234'), 0x99568189);
});

test('what is hashed in each case, as in the tests of libtorrent', () => {
  const six = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  const tail = 'ff'.repeat(8);
  const cases = [
    ['230.12.123.3', '230.12.123.3', '012c04d2'],
    ['230.12.123.1', '230.12.123.3', 'e60c7b01e60c7b03'],
    ['230.12.23.1', '230.12.123.3', 'e60c1701e60c7b01'],
    ['230.120.23.1', '230.12.123.3', 'e60c5101e6781501'],
    [six, six, '012c04d2'],
    [
      six,
      `ffff:0fff:${six.slice(10)}`,
      `ffff0fffffff${'55'.repeat(10)}ffffffffffff${'55'.repeat(10)}`,
    ],
    [
      six,
      'ffff:ffff:ff0f:ffff:ffff:ffff:ffff:ffff',
      `ffffffffff0fff${'55'.repeat(9)}ffffffffffffff${'55'.repeat(9)}`,
    ],
    [
      six,
      'ffff:ffff:ffff:0fff:ffff:ffff:ffff:ffff',
      `ffffffffffff0fff${'55'.repeat(8)}${tail}${'55'.repeat(8)}`,
    ],
  ] as const;
  for (const [a, b, hashed] of cases) {
    assert.equal(priority(a, b, [0x4d2, 0x12c]), crc32c(fromHex(hashed)), b);
  }
});

test('families do not mix, names have no priority, and mapped IPv4 is IPv4', () => {
  assert.equal(priority('1.2.3.4', '2001:db8::1'), null);
  assert.equal(priority('1.2.3.4', 'example.org'), null);
  assert.equal(priority('::ffff:123.213.32.10', '98.76.54.32'), 0xec2d7224);
});

test('both ends see the same priority', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), fc.ipV6(), fc.ipV6(), (a, b, c, d) => {
      assert.equal(priority(a, b, [1, 2]), priority(b, a, [2, 1]));
      assert.equal(priority(c, d, [1, 2]), priority(d, c, [2, 1]));
    }),
    { numRuns: 300 },
  );
});

test('while we do not know our address all ranks are equal', () => {
  const own = new OwnAddress(() => 6881);
  assert.equal(own.rank({ host: '98.76.54.32', port: 1 }), 0);
  own.learn('no address');
  assert.equal(own.version, 0);
  own.learn('123.213.32.10');
  assert.equal(own.rank({ host: '98.76.54.32', port: 1 }), 0xec2d7224);
  assert.equal(own.rank({ host: '2001:db8::1', port: 1 }), 0);
});

test('who is dialled first: whom a user named, then by rank; whom peers told of comes last', () => {
  const own = new OwnAddress(() => 6881);
  own.learn('123.213.32.10');
  const book = new PeerBook();
  const addresses = Array.from({ length: 20 }, (_, nth) => ({ host: `98.${nth}.1.1`, port: 1 }));
  for (const address of addresses) book.add(address, 'tracker');
  book.add({ host: '99.0.0.1', port: 1 }, 'user');
  book.add({ host: '97.0.0.1', port: 1 }, 'pex');
  const order: string[] = [];
  for (let next = book.next(instant(0), own); next; next = book.next(instant(0), own)) {
    order.push(next.host);
  }
  const byRank = addresses.toSorted((a, b) => own.rank(b) - own.rank(a));
  assert.deepEqual(order, ['99.0.0.1', ...byRank.map(({ host }) => host), '97.0.0.1']);
});

test('in a full torrent an idle peer of lower priority gives way, a working one never', () => {
  const swarm = new Swarm({ seed: 1 });
  const node = swarm.add({ has: 'none', engine: { peersPerTorrentMax: 2 } });
  node.engine.own.learn(node.host);
  const others = Array.from({ length: 8 }, () => swarm.add({ has: 'none' }));
  const rank = (host: string): number => node.engine.own.rank({ host, port: 1 });
  const ranked = others.toSorted((a, b) => rank(a.host) - rank(b.host));
  for (const other of ranked) {
    other.torrent.addPeers([node.address], 'tracker');
    swarm.clock.run(90_000);
  }
  const kept = [...node.torrent.peers.values()].map((peer) => peer.remoteHost);
  assert.ok(kept.includes(ranked.at(-1)?.host ?? ''), `${kept}`);
  assert.ok(!kept.includes(ranked[0]?.host ?? ''), `${kept}`);
  assert.ok(kept.length <= 2);
});
