import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import {
  readAsk,
  readDuration,
  readPeer,
  readPort,
  readPrice,
  readRate,
  readRatio,
  readSeconds,
} from './arguments.ts';

test('a peer is a host and a port, IPv6 in brackets, and peers add up', () => {
  const first = readPeer('192.0.2.1:6881');
  assert.deepEqual(first, [{ host: '192.0.2.1', port: 6881 }]);
  assert.deepEqual(readPeer('[2001:db8::1]:1', first)[1], { host: '2001:db8::1', port: 1 });
  assert.deepEqual(readPeer('seed.example:65535')[0], { host: 'seed.example', port: 65535 });
});

test('half a peer is refused', () => {
  for (const text of [
    '',
    'host',
    'host:',
    ':1',
    'host:0',
    'host:65536',
    '2001:db8::1:1',
    '[x]:1',
  ]) {
    assert.throws(() => readPeer(text), InvalidArgumentError, text);
  }
});

test('ports go from 0 to 65535', () => {
  assert.equal(readPort('0'), 0);
  assert.equal(readPort('65535'), 65535);
  for (const text of ['', '-1', '65536', '1e3', '80a']) {
    assert.throws(() => readPort(text), InvalidArgumentError, text);
  }
});

test('prices, rates and durations that cannot be read say what to write', () => {
  assert.throws(() => readPrice('-1'), /BTT amount/);
  assert.throws(() => readRate('0'), /zero/);
  for (const text of ['0', 'soon', '-5', 'Infinity']) {
    assert.throws(() => readSeconds(text), InvalidArgumentError, text);
  }
  assert.equal(readSeconds('0.5'), 0.5);
});

test('an ask is a fixed price, or follows demand', () => {
  assert.deepEqual(readAsk('1024'), { kind: 'fixed', price: 10n ** 18n });
  const ask = readAsk('auto');
  assert.ok(ask.kind === 'automatic' && ask.lowest < ask.start && ask.start < ask.highest);
});

test('durations have a unit, and units add up', () => {
  assert.equal(readDuration('90s'), 90);
  assert.equal(readDuration('1h30m'), 5400);
  assert.equal(readDuration('1.5D'), 129_600);
  for (const text of ['', '5', '0m', '-1h', '1h x', 'h', '1w', '99999d99999d']) {
    assert.throws(() => readDuration(text), InvalidArgumentError, text);
  }
});

test('a share ratio is above 0', () => {
  assert.equal(readRatio('2.5'), 2.5);
  for (const text of ['', '0', '-1', '1e3', 'Infinity', '0.0']) {
    assert.throws(() => readRatio(text), InvalidArgumentError, text);
  }
});
