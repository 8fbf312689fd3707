import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { PlatformError } from '../platform-error.ts';
import { addressOfBind, hasAddress } from './bound-address.ts';
import { Egress } from './egress.ts';

test('an address is itself, and an interface is its address, IPv4 first', () => {
  assert.equal(addressOfBind('192.0.2.1'), '192.0.2.1');
  assert.equal(addressOfBind('2001:db8::1'), '2001:db8::1');
  const [name = ''] = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ address }) => address === '127.0.0.1'),
  ) ?? [''];
  assert.equal(addressOfBind(name), '127.0.0.1');
});

test('a name that is neither is refused in one line that says what there is', () => {
  const isPlain = (failure: unknown): boolean =>
    failure instanceof PlatformError &&
    failure.code === 'PLATFORM_BIND' &&
    /^--bind: 'tun99' is no address and no interface that is up \(there are .+\)$/.test(
      failure.message,
    );
  assert.throws(() => addressOfBind('tun99'), isPlain);
});

test('loopback addresses are ours, those of others are not', () => {
  assert.deepEqual(['127.0.0.7', '::1', '0.0.0.0', '::'].map(hasAddress), [true, true, true, true]);
  assert.deepEqual(['192.0.2.1', '2001:db8::1'].map(hasAddress), [false, false]);
});

test('from an address that is gone nothing is connected, and that is said once', () => {
  const lines: string[] = [];
  const egress = new Egress({ bindHost: '192.0.2.1' }, (line) => lines.push(line));
  assert.deepEqual([egress.look(), egress.look()], [true, false]);
  assert.deepEqual(lines, ['the address 192.0.2.1 is gone: nothing is sent until it is back']);
  assert.equal(egress.isAway, true);
  assert.match(egress.refusal ?? '', /192\.0\.2\.1 is no address of this machine any more/);
});

test('from a bound address names have addresses of its family alone', async () => {
  const egress = new Egress({ bindHost: '127.0.0.1' }, () => {});
  const found = await egress.resolve('localhost');
  assert.ok(found?.every((address) => address.startsWith('127.')));
});
