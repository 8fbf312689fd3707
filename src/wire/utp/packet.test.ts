import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex } from '../../units/index.ts';
import {
  decodeUtp,
  encodeUtp,
  looksLikeUtp,
  putUtpHeader,
  sequenceAdd,
  sequenceDistance,
  UTP_HEADER_BYTES,
  type UtpHeader,
  type UtpType,
} from './index.ts';

// The layout of BEP 29, "header format", filled in by hand.
const SYN = '41 00 1234 00bc614e 00000000 00100000 0001 0000'.replaceAll(' ', '');
const ACK = '21 01 1235 00000010 00000020 0000ffff 0100 0203 00 04 05000080'.replaceAll(' ', '');

test('a connection request is read field by field', () => {
  const packet = decodeUtp(fromHex(SYN));
  assert.deepEqual(packet, {
    type: 'syn',
    connectionId: 0x1234,
    timestamp: 12_345_678,
    delay: 0,
    windowBytes: 1_048_576,
    sequence: 1,
    acknowledged: 0,
    selectiveAck: null,
    payload: new Uint8Array(0),
  });
});

test('a selective ack is read and written', () => {
  const packet = decodeUtp(fromHex(ACK));
  assert.ok(packet?.selectiveAck);
  assert.equal(packet.type, 'state');
  assert.equal(toHex(packet.selectiveAck), '05000080');
  assert.equal(toHex(encodeUtp(packet, packet.selectiveAck)), ACK);
});

test('extensions we do not know are passed over, and the payload follows them', () => {
  const view = fromHex(
    `0102${SYN.slice(4)}`.concat('01 02 aabb 00 04 11000000 68656c6c6f'.replaceAll(' ', '')),
  );
  const packet = decodeUtp(view);
  assert.equal(packet?.type, 'data');
  assert.equal(toHex(packet?.selectiveAck ?? new Uint8Array(0)), '11000000');
  assert.equal(toHex(packet?.payload ?? new Uint8Array(0)), '68656c6c6f');
});

test('what is cut short, of another version or of another protocol is not uTP', () => {
  const wrong = [SYN.slice(0, 38), `40${SYN.slice(2)}`, `51${SYN.slice(2)}`, `4101${SYN.slice(4)}`];
  for (const hex of [...wrong, `${ACK.slice(0, -2)}`, '']) {
    assert.equal(decodeUtp(fromHex(hex)), null, hex);
  }
  const dht = new TextEncoder().encode('d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe');
  assert.equal(looksLikeUtp(dht), false);
});

const field = fc.integer({ min: 0, max: 0xffff });
const word = fc.integer({ min: 0, max: 0xffffffff });
const types: readonly UtpType[] = ['data', 'fin', 'state', 'reset', 'syn'];
const header: fc.Arbitrary<UtpHeader> = fc.record({
  type: fc.constantFrom(...types),
  connectionId: field,
  timestamp: word,
  delay: word,
  windowBytes: word,
  sequence: field,
  acknowledged: field,
});

test('what is written is read again', () => {
  fc.assert(
    fc.property(header, fc.nat(16), fc.uint8Array({ maxLength: 50 }), (wanted, words, payload) => {
      const mask = new Uint8Array(4 * words).fill(0xa5);
      const read = decodeUtp(encodeUtp(wanted, mask));
      const selectiveAck = mask.length > 0 ? mask : null;
      assert.deepEqual(read, { ...wanted, selectiveAck, payload: new Uint8Array(0) });
      const whole = new Uint8Array(UTP_HEADER_BYTES + payload.length);
      whole.set(payload, UTP_HEADER_BYTES);
      putUtpHeader(whole, wanted);
      assert.deepEqual(decodeUtp(whole), { ...wanted, selectiveAck: null, payload });
    }),
  );
});

test('arbitrary bytes are a packet or are not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (view) => {
      const packet = decodeUtp(view);
      assert.ok(packet === null || packet.payload.length <= view.length - UTP_HEADER_BYTES);
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      header,
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(255),
      (fields, rest, extension) => {
        const view = new Uint8Array(UTP_HEADER_BYTES + rest.length);
        putUtpHeader(view, fields);
        view[1] = extension;
        view.set(rest, UTP_HEADER_BYTES);
        decodeUtp(view);
      },
    ),
    { numRuns: 1000 },
  );
});

test('numbers wrap around, and the shorter way tells which is later', () => {
  assert.equal(sequenceAdd(0xffff, 2), 1);
  assert.equal(sequenceAdd(0, -1), 0xffff);
  assert.equal(sequenceDistance(0xfffe, 1), 3);
  assert.equal(sequenceDistance(1, 0xfffe), -3);
  fc.assert(
    fc.property(field, fc.integer({ min: -32768, max: 32767 }), (from, steps) => {
      assert.equal(sequenceDistance(from, sequenceAdd(from, steps)), steps);
    }),
  );
});
