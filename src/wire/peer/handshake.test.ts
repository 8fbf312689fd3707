import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../units/index.ts';
import { WireError } from '../wire-error.ts';
import {
  decodeHandshake,
  encodeHandshake,
  HANDSHAKE_BYTES,
  looksLikeHandshake,
} from './handshake.ts';
import { clientName, makePeerId } from './peer-id.ts';

const bytes20 = fc.uint8Array({ minLength: 20, maxLength: 20 });
const flags = fc
  .tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean())
  .map(([extended, fast, dht, v2]) => ({ extended, fast, dht, v2 }));

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

test('a handshake is 19, the protocol name, 8 reserved bytes, info-hash, peer id (BEP 3)', () => {
  const view = encodeHandshake({
    infoHash: ascii('aaaaaaaaaaaaaaaaaaaa'),
    peerId: ascii('-BW0100-bbbbbbbbbbbb'),
    flags: { extended: true, fast: true, dht: true, v2: true },
  });
  const reserved = '\0\0\0\0\0\x10\0\x15';
  const text = `\x13BitTorrent protocol${reserved}aaaaaaaaaaaaaaaaaaaa-BW0100-bbbbbbbbbbbb`;
  assert.deepEqual(view, ascii(text));
});

test('reserved bits nobody gave a meaning are ignored', () => {
  const view = encodeHandshake({
    infoHash: new Uint8Array(20),
    peerId: new Uint8Array(20),
    flags: { extended: false, fast: false, dht: false },
  });
  view.fill(0xff, 20, 28);
  const all = { extended: true, fast: true, dht: true, v2: true };
  assert.deepEqual(decodeHandshake(view).flags, all);
});

test('what is encoded is decoded, whatever it says', () => {
  fc.assert(
    fc.property(bytes20, bytes20, flags, (infoHash, peerId, said) => {
      const handshake = { infoHash, peerId, flags: said };
      assert.deepEqual(decodeHandshake(encodeHandshake(handshake)), handshake);
    }),
  );
});

test('arbitrary bytes are a handshake or a WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (view) => {
      try {
        decodeHandshake(view);
      } catch (failure) {
        assert.ok(failure instanceof WireError && failure.code === 'WIRE_HANDSHAKE');
      }
    }),
  );
});

test('a stream is refused at its first byte that no handshake has', () => {
  const view = encodeHandshake({
    infoHash: new Uint8Array(20),
    peerId: new Uint8Array(20),
    flags: { extended: true, fast: true, dht: false },
  });
  for (let length = 0; length <= HANDSHAKE_BYTES; length++) {
    assert.ok(looksLikeHandshake(view.subarray(0, length)));
  }
  for (let at = 0; at < 20; at++) {
    const broken = view.slice(0, at + 1);
    broken[at] = (broken[at] ?? 0) ^ 1;
    assert.equal(looksLikeHandshake(broken), false, `byte ${at}`);
  }
});

test('our peer ids are in the Azureus style and differ (BEP 20)', () => {
  const random = seededRandom(1);
  const [first, second] = [makePeerId(random), makePeerId(random)];
  assert.equal(clientName(first), 'Bidwidth 0.1');
  assert.match(String.fromCharCode(...first), /^-BW0100-[0-9a-z]{12}$/);
  assert.notDeepEqual(first, second);
});

test('clients are known by their peer ids', () => {
  assert.equal(clientName(ascii('-TR3000-xxxxxxxxxxxx')), 'Transmission 3');
  assert.equal(clientName(ascii('-lt0D80-xxxxxxxxxxxx')), 'libTorrent (rTorrent) 0.D.8');
  assert.equal(clientName(ascii('-ZZ1234-xxxxxxxxxxxx')), 'ZZ 1.2.3.4');
  assert.equal(clientName(ascii('A2-1-36-0-xxxxxxxxxx')), 'aria2');
  assert.equal(clientName(new Uint8Array(20)), 'unknown');
});
