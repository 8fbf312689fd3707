/** Filter lists in the forms that users have, and every address against a naive search. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseIpList } from './ip-filter.ts';

test('an eMule list blocks below level 128 and allows from there on', () => {
  const { filter, badLines } = parseIpList(
    '# comment\n001.009.096.105 - 001.009.096.110 , 000 , Somebody\n' +
      '010.000.000.000 - 010.000.000.255 , 200 , A friend\n',
  );
  assert.ok(filter.isBlocked('1.9.96.105') && filter.isBlocked('1.9.96.110'));
  assert.ok(!filter.isBlocked('1.9.96.111') && !filter.isBlocked('10.0.0.1'));
  assert.deepEqual(badLines, []);
});

test('a PeerGuardian list may have colons in its names', () => {
  const { filter } = parseIpList('Bad: people, inc:4.0.0.0-4.0.0.255\r\nmore:5.5.5.5-5.5.5.5\r\n');
  assert.ok(filter.isBlocked('4.0.0.17') && filter.isBlocked('5.5.5.5'));
  assert.ok(!filter.isBlocked('4.0.1.0'));
});

test('prefixes, single addresses and ranges of either family', () => {
  const text = '192.0.2.0/25\n2001:db8::/32\n203.0.113.7\n2001:dc0::1 - 2001:dc0::f\n0.0.0.0/0';
  const { filter } = parseIpList(text.replace('\n0.0.0.0/0', ''));
  for (const inside of ['192.0.2.127', '::ffff:192.0.2.1', '2001:db8:ffff::1', '203.0.113.7']) {
    assert.ok(filter.isBlocked(inside), inside);
  }
  assert.ok(filter.isBlocked('2001:dc0::a') && !filter.isBlocked('2001:dc0::10'));
  assert.ok(!filter.isBlocked('192.0.2.128') && !filter.isBlocked('a.name.example'));
  assert.ok(parseIpList(text).filter.isBlocked('8.8.8.8'));
});

test('lines that cannot be read are numbered and passed over', () => {
  const { filter, badLines } = parseIpList('what?\n1.2.3.4\n1.2.3.4/33\n9.9.9.9-8.8.8.8\n');
  assert.deepEqual(badLines, [1, 3, 4]);
  assert.equal(filter.size, 1);
});

test('a filter agrees with looking at every range', () => {
  const octets = fc.integer({ min: 0, max: 2 ** 16 });
  const host = (value: number): string => `10.0.${Math.min(value >> 8, 255)}.${value & 255}`;
  fc.assert(
    fc.property(fc.array(fc.tuple(octets, octets), { maxLength: 20 }), octets, (pairs, probe) => {
      const ranges = pairs.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
      const kept = ranges.filter(([, last]) => last < 2 ** 16);
      const text = kept.map(([a, b]) => `${host(a)}-${host(b)}`).join('\n');
      const asked = Math.min(probe, 2 ** 16 - 1);
      const wanted = kept.some(([a, b]) => a <= asked && asked <= b);
      assert.equal(parseIpList(text).filter.isBlocked(host(asked)), wanted);
    }),
    { numRuns: 500 },
  );
});

test('whatever a list holds, reading it does not fail', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseIpList(text).filter.isBlocked('1.2.3.4');
    }),
    { numRuns: 1000 },
  );
});
