import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCompact, encodeCompact, formatIp, parseIp, unmapIp } from './endpoint.ts';
import { formatTrackerUrl, parseTrackerUrl, trackerOrigin } from './tracker-url.ts';

test('IPv6 addresses are written in the canonical form of RFC 5952', () => {
  const canonical = (text: string): string => formatIp(parseIp(text) ?? new Uint8Array(4));
  assert.equal(canonical('2001:DB8:0:0:0:0:2:1'), '2001:db8::2:1');
  assert.equal(canonical('2001:db8:0:1:1:1:1:1'), '2001:db8:0:1:1:1:1:1');
  assert.equal(canonical('2001:0:0:1:0:0:0:1'), '2001:0:0:1::1');
  assert.equal(canonical('::'), '::');
  assert.equal(canonical('::ffff:192.0.2.1'), '::ffff:c000:201');
});

test('an IPv4 address inside an IPv6 one is found', () => {
  assert.equal(formatIp(unmapIp(parseIp('::ffff:192.0.2.1') ?? new Uint8Array(4))), '192.0.2.1');
});

test('a leading zero makes an IPv4 address ambiguous, so it is refused', () => {
  assert.equal(parseIp('010.0.0.1'), null);
});

test('a text is an address exactly when Node says so', () => {
  const texts = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.stringMatching(/^[0-9a-f:.]{1,20}$/),
    fc.stringMatching(/^([0-9a-f]{0,5}:){2,8}[0-9.]{0,9}$/),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = parseIp(text)?.length ?? 0;
      assert.equal(bytes, { 0: 0, 4: 4, 6: 16 }[isIP(text)], text);
    }),
    { numRuns: 1000 },
  );
});

test('every address survives writing and reading', () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc
      .array(fc.constantFrom(0, 1), { minLength: 16, maxLength: 16 })
      .map((of) => Uint8Array.from(of)),
  );
  fc.assert(
    fc.property(address, (view) => {
      assert.deepEqual(parseIp(formatIp(view)), view);
      assert.equal(isIP(formatIp(view)), view.length === 4 ? 4 : 6);
    }),
  );
});

test('a compact list ignores a cut tail and ports nobody listens on (BEP 23)', () => {
  const view = Uint8Array.from([10, 0, 0, 1, 0, 80, 10, 0, 0, 2, 0, 0, 10, 0, 0]);
  assert.deepEqual(decodeCompact(view, 4), [{ host: '10.0.0.1', port: 80 }]);
  assert.deepEqual(encodeCompact([{ host: '10.0.0.1', port: 80 }], 4), view.slice(0, 6));
});

test('a tracker URL is taken apart, with its default port', () => {
  assert.deepEqual(parseTrackerUrl('HTTPS://u:p@Tracker.Test/x/announce?k=v'), {
    scheme: 'https',
    userInfo: 'u:p',
    host: 'tracker.test',
    port: 443,
    path: '/x/announce',
    query: 'k=v',
  });
  assert.equal(parseTrackerUrl('udp://[2001:db8::1]:6969')?.host, '2001:db8::1');
});

test('what cannot be announced to is no tracker URL', () => {
  for (const text of [
    'udp://tracker.test',
    'wss://tracker.test/',
    'http://',
    'http://host:99999/announce',
    'http://host:0/announce',
    'http://[nonsense]/announce',
    'http://a b/announce',
    `http://${'a'.repeat(3000)}/`,
    '',
  ]) {
    assert.equal(parseTrackerUrl(text), null, text);
  }
});

test('the user is shown the host, not the secret path of a private tracker', () => {
  const url = parseTrackerUrl('https://u:p@tracker.test:8443/0123456789abcdef/announce?pk=secret');
  assert.ok(url);
  assert.equal(trackerOrigin(url), 'https://tracker.test:8443');
  assert.match(formatTrackerUrl(url), /pk=secret$/);
});

test('any text is a tracker URL or not, and is written back as a URL Node reads alike', () => {
  const texts = fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string());
  fc.assert(
    fc.property(texts, (text) => {
      const url = parseTrackerUrl(text);
      if (!url) return;
      assert.equal(new URL(formatTrackerUrl(url)).hostname.replace(/^\[|\]$/g, ''), url.host);
    }),
    { numRuns: 1000 },
  );
});
