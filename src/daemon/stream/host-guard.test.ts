import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Arrival, isOwnHost } from './host-guard.ts';

const AT_LOOPBACK: Omit<Arrival, 'host'> = { localAddress: '127.0.0.1', bindHost: '127.0.0.1' };

test('loopback names pass, with and without a port', () => {
  for (const host of ['localhost:8000', 'localhost', '127.0.0.1:8000', '[::1]:8000', 'LocalHost']) {
    assert.ok(isOwnHost({ ...AT_LOOPBACK, host }), host);
  }
});

test('the name of a page that points to this machine does not pass', () => {
  for (const host of [
    ...['evil.example', 'evil.example:8000', 'localhost.evil.example', '127.0.0.1.evil.example'],
    ...['', undefined, '192.0.2.1', 'evil.example:localhost', '127.0.0.1:80:80', '[::1].example'],
  ]) {
    assert.ok(!isOwnHost({ ...AT_LOOPBACK, host }), host);
  }
});

test('on another address, that address and the name it was given pass', () => {
  const arrival = { localAddress: '::ffff:192.0.2.7', bindHost: '::' };
  assert.ok(isOwnHost({ ...arrival, host: '192.0.2.7:8000' }));
  assert.ok(!isOwnHost({ ...arrival, host: '192.0.2.8:8000' }));
  assert.ok(isOwnHost({ localAddress: '2001:db8::7', bindHost: '::', host: '[2001:db8::7]' }));
  assert.ok(isOwnHost({ ...arrival, bindHost: 'den.lan', host: 'den.lan:8000' }));
});
