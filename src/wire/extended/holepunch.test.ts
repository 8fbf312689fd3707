import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toHex } from '../../units/index.ts';
import { WireError } from '../wire-error.ts';
import {
  decodeHolepunch,
  encodeHolepunch,
  HOLEPUNCH_ERROR,
  type HolepunchMessage,
} from './holepunch.ts';

const FOUR = { host: '192.0.2.1', port: 6881 };
const SIX = { host: '2001:db8::1', port: 51413 };

test('a message is type, family, address, port and error (BEP 55)', () => {
  const hexOf = (message: HolepunchMessage): string => toHex(encodeHolepunch(message));
  assert.equal(hexOf({ kind: 'rendezvous', target: FOUR, error: 0 }), '0000c00002011ae100000000');
  assert.equal(hexOf({ kind: 'connect', target: FOUR, error: 0 }), '0100c00002011ae100000000');
  assert.equal(
    hexOf({ kind: 'error', target: SIX, error: HOLEPUNCH_ERROR.noSupport }),
    '020120010db8000000000000000000000001c8d500000003',
  );
});

test('the error may be left out where there is none, as libtorrent does', () => {
  const whole = encodeHolepunch({ kind: 'connect', target: FOUR, error: 0 });
  assert.deepEqual(decodeHolepunch(whole.subarray(0, 8)), decodeHolepunch(whole));
});

test('kinds and families of tomorrow are passed over', () => {
  const whole = encodeHolepunch({ kind: 'connect', target: FOUR, error: 0 });
  assert.equal(decodeHolepunch(whole.with(0, 3)), null);
  assert.equal(decodeHolepunch(whole.with(1, 2)), null);
  assert.equal(decodeHolepunch(new Uint8Array(0)), null);
});

test('half an address ends the connection', () => {
  const whole = encodeHolepunch({ kind: 'connect', target: SIX, error: 0 });
  assert.throws(() => decodeHolepunch(whole.subarray(0, 19)), { code: 'WIRE_EXTENSION' });
});

test('whatever bytes come, they decode or are a WireError', () => {
  const shaped = fc
    .tuple(fc.nat(3), fc.nat(2), fc.uint8Array({ maxLength: 30 }))
    .map(([kind, family, rest]) => Uint8Array.of(kind, family, ...rest));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), shaped), (payload) => {
      try {
        decodeHolepunch(payload);
      } catch (failure) {
        assert.ok(failure instanceof WireError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('what is written is read again', () => {
  const host = fc.oneof(fc.ipV4(), fc.constantFrom('::1', '2001:db8::7', '::ffff:102:304'));
  const target = fc.record({ host, port: fc.nat(65535) }, { noNullPrototype: true });
  const plain = fc.record(
    { kind: fc.constantFrom('rendezvous', 'connect'), target, error: fc.constant(0) },
    { noNullPrototype: true },
  );
  const error = fc.record(
    { kind: fc.constant('error'), target, error: fc.nat(0xffffffff) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.oneof(plain, error), (message) => {
      const written = encodeHolepunch(message as HolepunchMessage);
      assert.deepEqual(decodeHolepunch(written), message);
    }),
    { numRuns: 1000 },
  );
});
