import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTrackerUrl, type TrackerUrl } from '../wire/index.ts';
import { classifyAddress } from './address-class.ts';
import { refusalOfTracker } from './tracker-guard.ts';

function url(text: string): TrackerUrl {
  const parsed = parseTrackerUrl(text);
  assert.ok(parsed);
  return parsed;
}

function refusal(text: string, address: string, redirectedFrom: string | null = null): string {
  return refusalOfTracker({ url: url(text), address, redirectedFrom }) ?? 'allowed';
}

test('addresses are public, local or unusable', () => {
  const expected = {
    public: ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'],
    local: ['127.0.0.1', '127.9.9.9', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    unusable: ['0.0.0.0', '224.0.0.1', '255.255.255.255', '::', 'ff02::1', 'not an address'],
  };
  for (const [kind, hosts] of Object.entries(expected)) {
    for (const host of hosts) assert.equal(classifyAddress(host), kind, host);
  }
  for (const host of ['::1', 'fc00::1', 'fdff::1', 'fe80::1', '169.254.169.254', '100.64.0.1']) {
    assert.equal(classifyAddress(host), 'local', host);
  }
});

test('an IPv4 address cannot hide inside an IPv6 one', () => {
  for (const host of [
    '::ffff:127.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::192.168.0.1',
    '2002:7f00:1::',
  ]) {
    assert.equal(classifyAddress(host), 'local', host);
  }
});

test("a tracker on this machine works with the standard path, whoever's torrent names it", () => {
  assert.equal(refusal('http://127.0.0.1:6969/announce', '127.0.0.1'), 'allowed');
  assert.equal(refusal('http://localhost:6969/announce', '::1'), 'allowed');
  assert.equal(refusal('http://192.168.1.5/announce.php', '192.168.1.5'), 'allowed');
  assert.equal(refusal('udp://127.0.0.1:6969', '127.0.0.1'), 'allowed');
});

test('no other path and no query reaches a service on the local network (SSRF)', () => {
  for (const path of ['/', '/api/v2/app/shutdown', '/announcement', '/announce/../admin', '']) {
    assert.match(refusal(`http://router.test${path}`, '192.168.1.1'), /must have the plain path/);
  }
  assert.match(refusal('http://localhost/announce?reboot=1', '127.0.0.1'), /plain path/);
  assert.match(refusal('http://metadata.test/latest', '169.254.169.254'), /local network/);
});

test('a public tracker may have any path and a passkey', () => {
  assert.equal(refusal('https://tracker.test/0123abcd/announce?pk=1', '8.8.8.8'), 'allowed');
});

test('a public tracker cannot redirect into the local network, a local one within it can', () => {
  const local = 'http://127.0.0.1/announce';
  assert.match(refusal(local, '127.0.0.1', '8.8.8.8'), /redirects into the local network/);
  assert.equal(refusal(local, '127.0.0.1', '127.0.0.1'), 'allowed');
  assert.equal(refusal('http://tracker.test/x', '8.8.8.8', '1.1.1.1'), 'allowed');
});

test('a URL that brings its own announce parameters is refused', () => {
  assert.match(refusal('http://t.test/announce?INFO_HASH=x', '8.8.8.8'), /announce parameters/);
});

test('nobody announces to a multicast or unspecified address', () => {
  assert.match(refusal('http://t.test/announce', '239.255.255.250'), /cannot be a tracker/);
  assert.match(refusal('udp://t.test:1', '0.0.0.0'), /cannot be a tracker/);
});
