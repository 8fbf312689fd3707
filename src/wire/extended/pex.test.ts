import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeBencode } from '../bencode/index.ts';
import { WireError } from '../wire-error.ts';
import { decodePex, encodePex, PEX_FLAG, type PexPeer } from './pex.ts';

const A: PexPeer = { host: '192.0.2.1', port: 6881, flags: PEX_FLAG.seed | PEX_FLAG.reachable };
const B: PexPeer = { host: '2001:db8::1', port: 51413, flags: 0 };

test('a message is the dictionary of BEP 11', () => {
  const dropped = [{ host: '192.0.2.2', port: 256 }];
  const text = Buffer.from(encodePex({ added: [A], dropped })).toString('latin1');
  const [added, gone] = ['\xc0\x00\x02\x01\x1a\xe1', '\xc0\x00\x02\x02\x01\x00'];
  assert.equal(text, `d5:added6:${added}7:added.f1:\x127:dropped6:${gone}e`);
});

test('IPv6 contacts have lists of their own', () => {
  const message = { added: [A, B], dropped: [{ host: '2001:db8::2', port: 1 }] };
  assert.deepEqual(decodePex(encodePex(message)), message);
});

test('flags stay with their contacts when a contact is left out for its port', () => {
  const added = Uint8Array.from([1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 0, 9]);
  const payload = encodeBencode({ added, 'added.f': Uint8Array.from([1, 2]) });
  assert.deepEqual(decodePex(payload).added, [{ host: '5.6.7.8', port: 9, flags: 2 }]);
});

test('missing flags are none, and of a long list 200 contacts are read', () => {
  const payload = encodeBencode({ added: new Uint8Array(6 * 1000).fill(7) });
  const { added } = decodePex(payload);
  assert.equal(added.length, 200);
  assert.equal(added[199]?.flags, 0);
});

test('half a contact ends the connection', () => {
  const payload = encodeBencode({ added: new Uint8Array(7) });
  assert.throws(() => decodePex(payload), { code: 'WIRE_EXTENSION' });
});

test('whatever bytes come, they decode or are a WireError', () => {
  const shaped = fc
    .record({ added: fc.uint8Array(), 'added.f': fc.uint8Array(), dropped6: fc.uint8Array() })
    .map((record) => encodeBencode(record));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), shaped), (payload) => {
      try {
        decodePex(payload);
      } catch (failure) {
        assert.ok(failure instanceof WireError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('what is written is read again', () => {
  const port = fc.integer({ min: 1, max: 65535 });
  const four = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.1.${a}.${b}`);
  const six = fc.integer({ min: 1, max: 0xffff }).map((group) => `2001:db8::${group.toString(16)}`);
  const peers = (host: fc.Arbitrary<string>): fc.Arbitrary<PexPeer[]> =>
    fc.array(fc.record({ host, port, flags: fc.nat(255) }, { noNullPrototype: true }), {
      maxLength: 50,
    });
  fc.assert(
    fc.property(peers(four), peers(six), (added4, added6) => {
      const added = [...added4, ...added6];
      const dropped = added.map(({ host, port: at }) => ({ host, port: at }));
      assert.deepEqual(decodePex(encodePex({ added, dropped })), { added, dropped });
    }),
    { numRuns: 300 },
  );
});
