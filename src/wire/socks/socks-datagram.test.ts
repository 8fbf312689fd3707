import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../wire-error.ts';
import { decodeSocksDatagram, encodeSocksDatagram } from './socks-datagram.ts';

const HI = Uint8Array.of(0x68, 0x69);

test('the header is as RFC 1928 draws it: reserved, fragment, kind, address, port', () => {
  const host = (name: string): string =>
    Buffer.from(encodeSocksDatagram({ host: name, port: 6881 }, HI)).toString('hex');
  assert.equal(host('192.0.2.7'), `00000001${'c0000207'}1ae1${'6869'}`);
  assert.equal(host('2001:db8::1'), `00000004${'20010db8000000000000000000000001'}1ae1${'6869'}`);
  assert.equal(host('a.test'), `00000003${'06612e74657374'}1ae1${'6869'}`);
});

test('a datagram is read with its sender, mapped addresses as what they are', () => {
  const mapped = Buffer.from('00000004' + '00000000000000000000ffffc0000207' + '1ae16869', 'hex');
  const { from, payload } = decodeSocksDatagram(mapped);
  assert.deepEqual(from, { host: '192.0.2.7', port: 6881 });
  assert.deepEqual(payload, Buffer.from(HI));
});

test('fragments, names, port 0 and what is cut off are refused', () => {
  const refused = [
    '00000101020304000168', // The first fragment of several.
    '00008101020304000168', // The last.
    '0000000306612e746573741ae168', // From a name.
    '00000001010203040000', // From port 0.
    '000000010102030406',
    '000000',
    '',
  ];
  for (const hex of refused) {
    assert.throws(() => decodeSocksDatagram(Buffer.from(hex, 'hex')), { code: 'WIRE_SOCKS' }, hex);
  }
});

const host = fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', '2606:4700::1111', 'fe80::1'));
const port = fc.integer({ min: 1, max: 65_535 });

test('what was written is read', () => {
  const parts = fc.tuple(host, port, fc.uint8Array({ maxLength: 1500 }));
  fc.assert(
    fc.property(parts, ([name, at, payload]) => {
      const read = decodeSocksDatagram(encodeSocksDatagram({ host: name, port: at }, payload));
      assert.deepEqual(read, { from: { host: name, port: at }, payload });
    }),
  );
});

test('any bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeSocksDatagram(bytes);
      } catch (failure) {
        assert.ok(failure instanceof WireError);
      }
    }),
  );
});
