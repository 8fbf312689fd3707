import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { fromHex, toHex } from '../../units/index.ts';
import { decodeUtf8, encodeUtf8 } from '../bencode/index.ts';
import { parseMagnet } from '../magnet/index.ts';
import { WireError } from '../wire-error.ts';
import {
  encodeTorrentPointer,
  formatMutableMagnet,
  immutableTarget,
  mutableTarget,
  parseMutableMagnet,
  pointMutableMagnet,
  readTorrentPointer,
  signedBytes,
} from './index.ts';

const sha1 = (view: Uint8Array): Uint8Array => createHash('sha1').update(view).digest();
const value = encodeUtf8('12:Hello World!');
const publicKey = fromHex('77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548');
const none = new Uint8Array();

test('BEP 44 test 1: a mutable item without salt', () => {
  const buffer = signedBytes({ value, salt: none, sequence: 1n });
  assert.equal(decodeUtf8(buffer), '3:seqi1e1:v12:Hello World!');
  const target = '4a533d47ec9c7d95b1ad75f576cffc641853b750';
  assert.equal(toHex(mutableTarget(publicKey, none, sha1)), target);
  const signature = fromHex(
    '305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff' +
      '1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01',
  );
  assert.equal(ed25519.verify(signature, buffer, publicKey), true);
  const later = signedBytes({ value, salt: none, sequence: 2n });
  assert.equal(ed25519.verify(signature, later, publicKey), false);
});

test('BEP 44 test 2: a mutable item with salt', () => {
  const salt = encodeUtf8('foobar');
  const buffer = signedBytes({ value, salt, sequence: 1n });
  assert.equal(decodeUtf8(buffer), '4:salt6:foobar3:seqi1e1:v12:Hello World!');
  const target = '411eba73b6f087ca51a3795d9c8c938d365e32c1';
  assert.equal(toHex(mutableTarget(publicKey, salt, sha1)), target);
  const signature = fromHex(
    '6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d' +
      'df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08',
  );
  assert.equal(ed25519.verify(signature, buffer, publicKey), true);
});

test('BEP 44 test 3: an immutable item', () => {
  const target = 'e5f96f6f38320f0f33959cb4d3d656452117aadb';
  assert.equal(toHex(immutableTarget(value, sha1)), target);
});

const btpk = '8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e';

test('BEP 46 test 1: from a magnet link to the target', () => {
  const magnet = parseMutableMagnet(`magnet:?xs=urn:btpk:${btpk}`);
  assert.ok(magnet);
  const target = mutableTarget(magnet.publicKey, magnet.salt, sha1);
  assert.equal(toHex(target), 'cc3f9d90b572172053626f9980ce261a850d050b');
});

test('BEP 46 test 2: with a salt', () => {
  const magnet = parseMutableMagnet(`magnet:?xs=urn:btpk:${btpk}&s=6e`);
  assert.ok(magnet);
  const target = mutableTarget(magnet.publicKey, magnet.salt, sha1);
  assert.equal(toHex(target), '59ee7c2cb9b4f7eb1986ee2d18fd2fdb8a56554f');
  assert.equal(formatMutableMagnet(magnet), `magnet:?xs=urn:btpk:${btpk}&s=6e`);
});

test('other links are not mutable torrents', () => {
  for (const text of [
    '',
    btpk,
    'magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a',
    'magnet:?xs=http://example.org/film.torrent',
  ]) {
    assert.equal(parseMutableMagnet(text), null, text);
  }
});

test('a link to a key that is none is refused', () => {
  for (const rest of [
    `${btpk}00`,
    'x'.repeat(64),
    '',
    `${btpk}&s=6`,
    `${btpk}&s=${'6e'.repeat(65)}`,
  ]) {
    assert.throws(
      () => parseMutableMagnet(`magnet:?xs=urn:btpk:${rest}`),
      (failure) => failure instanceof WireError && failure.code === 'WIRE_MAGNET',
      rest,
    );
  }
});

test('a link to a key is read as other links are, and says what is not about the torrent', () => {
  const text = `magnet:?xt=urn:btih:${'11'.repeat(20)}&amp;XS.1=urn%3Abtpk%3A${btpk}&tr=udp%3A%2F%2Fx%3A1`;
  assert.equal(toHex(parseMutableMagnet(text)?.publicKey ?? none), btpk);
  const { infoHashV1, trackers } = parseMagnet(pointMutableMagnet(text, fromHex('22'.repeat(20))));
  assert.equal(toHex(infoHashV1 ?? none), '22'.repeat(20));
  assert.deepEqual(trackers, ['udp://x:1']);
  assert.throws(() => parseMagnet(`magnet:?xs=urn:btpk:${btpk}`), /names a key/);
});

test('the value of a mutable torrent is its info-hash', () => {
  const infoHash = sha1(value);
  const pointer = encodeTorrentPointer(infoHash);
  assert.deepEqual(readTorrentPointer(pointer), Uint8Array.from(infoHash));
  for (const text of ['', 'i1e', 'de', 'd2:ih3:abce', 'd2:ihi1ee']) {
    assert.equal(readTorrentPointer(encodeUtf8(text)), null, text);
  }
});
