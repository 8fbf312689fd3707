import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostAndPort } from './host-text.ts';

test('an IPv6 address stands in brackets before a port (RFC 3986); names and IPv4 do not', () => {
  const hosts = ['2001:db8::7', '192.0.2.1', 'tracker.test'];
  assert.deepEqual(
    hosts.map((host) => hostAndPort({ host, port: 80 })),
    ['[2001:db8::7]:80', '192.0.2.1:80', 'tracker.test:80'],
  );
});
