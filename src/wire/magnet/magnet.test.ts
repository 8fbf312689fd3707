import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytes, toHex } from '../../units/index.ts';
import { WireError } from '../wire-error.ts';
import { formatMagnet, MAGNET_ITEMS_MAX, type Magnet, parseMagnet } from './magnet.ts';

const refused = { name: 'WireError', code: 'WIRE_MAGNET' };

const V1 = 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd';
const V2 = 'caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e';
const XT = `magnet:?xt=urn:btih:${V1}`;

function hexOf(hash: Uint8Array | null): string | null {
  return hash && toHex(hash);
}

test('the link of BEP 9', () => {
  const magnet = parseMagnet(`${XT}&dn=name&tr=http%3A%2F%2Ft%2Fannounce&x.pe=10.0.0.1%3A6881`);
  assert.equal(hexOf(magnet.infoHashV1), V1);
  assert.equal(magnet.infoHashV2, null);
  assert.equal(magnet.displayName, 'name');
  assert.deepEqual(magnet.trackers, ['http://t/announce']);
  assert.deepEqual(magnet.peers, [{ host: '10.0.0.1', port: 6881 }]);
});

test('the link of BEP 52, alone and beside a v1 hash', () => {
  assert.equal(hexOf(parseMagnet(`magnet:?xt=urn:btmh:1220${V2}`).infoHashV2), V2);
  const both = parseMagnet(`${XT}&xt=urn:btmh:1220${V2}`);
  assert.equal(hexOf(both.infoHashV1), V1);
  assert.equal(hexOf(both.infoHashV2), V2);
});

test('the links of BEP 53 select files', () => {
  assert.deepEqual(parseMagnet(`${XT}&so=0,2,4,6-8`).selectOnly, [
    { first: 0, last: 0 },
    { first: 2, last: 2 },
    { first: 4, last: 4 },
    { first: 6, last: 8 },
  ]);
  assert.deepEqual(parseMagnet(`${XT}&so=8-6,-1,x,,1-,99999999999`).selectOnly, []);
});

test('an info-hash may be base32, of either case', () => {
  const hash = '3WBFL3G4PSSV7MF37AJSHWDQMLNR63I4';
  const hex = 'dd8255ecdc7ca55fb0bbf81323d87062db1f6d1c';
  assert.equal(hexOf(parseMagnet(`magnet:?xt=urn:btih:${hash}`).infoHashV1), hex);
  assert.equal(hexOf(parseMagnet(`magnet:?xt=urn:btih:${hash.toLowerCase()}`).infoHashV1), hex);
});

test('links are read as people paste them', () => {
  for (const link of [
    `  ${XT}\n`,
    `MAGNET:?XT=URN:BTIH:${V1.toUpperCase()}`,
    `magnet:?dn=x&amp;xt=urn:btih:${V1}`,
    `magnet:?xt.1=urn:btih:${V1}`,
    `magnet:?xt=urn%3Abtih%3A${V1}`,
    `magnet:?xt=urn:ed2k:31D6CFE0D16AE931B73C59D7E0C089C0&xt=urn:btih:${V1}`,
    `magnet://?xt=urn:btih:${V1}`,
    V1,
  ]) {
    assert.equal(hexOf(parseMagnet(link).infoHashV1), V1, link);
  }
});

test('a plus is a space in a name and itself in a URL', () => {
  const magnet = parseMagnet(`${XT}&dn=a+b%2Bc&tr=http://t/?a+b`);
  assert.equal(magnet.displayName, 'a b+c');
  assert.deepEqual(magnet.trackers, ['http://t/?a+b']);
});

test('a broken percent sign stays and broken UTF-8 is marked', () => {
  assert.equal(parseMagnet(`${XT}&dn=100%`).displayName, '100%');
  assert.equal(parseMagnet(`${XT}&dn=%zz%e2%9f`).displayName, '%zz\uFFFD');
});

test('repeated and empty URLs count once and not at all', () => {
  const magnet = parseMagnet(`${XT}&tr=http://a&tr.2=http://a&tr=&ws=http://w/`);
  assert.deepEqual(magnet.trackers, ['http://a']);
  assert.deepEqual(magnet.webSeeds, ['http://w/']);
});

test('peers may be names, IPv4 or IPv6; others are dropped', () => {
  const magnet = parseMagnet(
    `${XT}&x.pe=host.example:1&x.pe=[::1]:6881&x.pe=1.2.3.4&x.pe=::1:80&x.pe=h:0&x.pe=h:99999`,
  );
  assert.deepEqual(magnet.peers, [
    { host: 'host.example', port: 1 },
    { host: '::1', port: 6881 },
  ]);
});

test('an exact length is kept, an odd one dropped', () => {
  assert.equal(parseMagnet(`${XT}&xl=12345`).lengthBytes, 12345);
  assert.equal(parseMagnet(`${XT}&xl=-1`).lengthBytes, null);
  assert.equal(parseMagnet(`${XT}&xl=9999999999999999`).lengthBytes, null);
});

for (const link of [
  '',
  'magnet:?',
  'magnet:?dn=name',
  'magnet:?xt=urn:btih:',
  `magnet:?xt=urn:btih:${V1}0`,
  `magnet:?xt=urn:btih:${V1.slice(1)}x`,
  `magnet:?xt=urn:btih:${'1'.repeat(32)}`,
  `magnet:?xt=urn:btmh:1120${V2}`,
  `magnet:?xt=urn:btmh:${V2}`,
  `http://host/?xt=urn:btih:${V1}`,
  `${XT}&dn=${'x'.repeat(70_000)}`,
]) {
  test(`'${link.slice(0, 60)}' (${link.length} characters) is refused`, () => {
    assert.throws(() => parseMagnet(link), refused);
  });
}

test('lists are bounded', () => {
  const many = Array.from({ length: 1000 }, (_, at) => `&tr=http://t${at}&x.pe=h:${at + 1}`);
  const magnet = parseMagnet(`${XT}${many.join('')}&so=${'1,'.repeat(1000)}`);
  assert.equal(magnet.trackers.length, MAGNET_ITEMS_MAX);
  assert.equal(magnet.peers.length, MAGNET_ITEMS_MAX);
  assert.equal(magnet.selectOnly.length, MAGNET_ITEMS_MAX);
});

const url = fc.webUrl({ withQueryParameters: true });
const magnets = fc.record<Magnet>(
  {
    infoHashV1: fc.uint8Array({ minLength: 20, maxLength: 20 }),
    infoHashV2: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 })),
    displayName: fc.option(fc.string({ unit: 'grapheme' }).map((name) => `<${name}>`)),
    trackers: fc.uniqueArray(url, { maxLength: 3 }),
    webSeeds: fc.uniqueArray(url, { maxLength: 2 }),
    peers: fc.array(
      fc.record(
        {
          host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
          port: fc.integer({ min: 1, max: 65535 }),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 3 },
    ),
    selectOnly: fc.array(
      fc.tuple(fc.nat(1000), fc.nat(1000)).map(([first, more]) => ({ first, last: first + more })),
      { maxLength: 3 },
    ),
    lengthBytes: fc.option(fc.maxSafeNat().map(bytes)),
  },
  { noNullPrototype: true },
);

test('a link that was written reads the same', () => {
  fc.assert(
    fc.property(magnets, (magnet) => {
      assert.deepEqual(parseMagnet(formatMagnet(magnet)), magnet);
    }),
    { numRuns: 1000 },
  );
});

test('arbitrary text is read or refused with WireError', () => {
  const part = fc.constantFrom('magnet:?', 'xt=urn:btih:', V1, '&', 'so=', 'x.pe=[', '%', 'tr.1=');
  const text = fc.oneof(
    fc.string(),
    fc
      .array(fc.oneof(part, fc.string({ maxLength: 5 })), { maxLength: 12 })
      .map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (link) => {
      try {
        parseMagnet(link);
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
