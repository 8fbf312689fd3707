import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex } from '../../units/index.ts';
import { WireError } from '../wire-error.ts';
import type { AnnounceRequest } from './announce.ts';
import { formatIp } from './endpoint.ts';
import { decodeUdpReply, encodeUdpReply, type UdpReply } from './udp-reply.ts';
import { decodeUdpRequest, encodeUdpRequest, type UdpRequest } from './udp-request.ts';

const ANNOUNCE: AnnounceRequest = {
  infoHash: new Uint8Array(20).fill(0xaa),
  peerId: new Uint8Array(20).fill(0xbb),
  downloadedBytes: 1,
  leftBytes: 2,
  uploadedBytes: 3,
  event: 'started',
  key: 0xdeadbeef,
  numWant: -1,
  port: 6881,
};

test('a connect request has the layout of BEP 15', () => {
  const view = encodeUdpRequest({ action: 'connect', transactionId: 0x01020304 });
  assert.equal(toHex(view), '00000417271019800000000001020304');
});

test('an announce request has the layout of BEP 15', () => {
  const view = encodeUdpRequest({
    action: 'announce',
    connectionId: 0x0102030405060708n,
    transactionId: 9,
    announce: ANNOUNCE,
    urlData: '',
  });
  assert.equal(
    toHex(view),
    `01020304050607080000000100000009${'aa'.repeat(20)}${'bb'.repeat(20)}` +
      '000000000000000100000000000000020000000000000003' +
      '0000000200000000deadbeefffffffff1ae1',
  );
});

test('a URL rides behind the announce in options of up to 255 bytes (BEP 41)', () => {
  const urlData = `/a/announce?k=${'x'.repeat(300)}`;
  const request: UdpRequest = {
    action: 'announce',
    connectionId: 1n,
    transactionId: 9,
    announce: ANNOUNCE,
    urlData,
  };
  const view = encodeUdpRequest(request);
  assert.equal(view[98], 2);
  assert.equal(view[99], 255);
  assert.equal(view[100 + 255], 2);
  assert.deepEqual(decodeUdpRequest(view), request);
});

test('an option cut short does not spoil the announce it follows', () => {
  const announce = { action: 'announce', connectionId: 1n, transactionId: 9 } as const;
  const view = encodeUdpRequest({ ...announce, announce: ANNOUNCE, urlData: '/abcdef' });
  const cut = decodeUdpRequest(view.subarray(0, 103));
  assert.equal(cut.action === 'announce' && cut.urlData, '/ab');
});

test('an announce reply has the layout of BEP 15, with 6 bytes a peer over IPv4', () => {
  const view = fromHex('000000010000000900000708000000050000000a7f0000011ae10a0000020050');
  assert.deepEqual(decodeUdpReply(view, 4), {
    action: 'announce',
    transactionId: 9,
    intervalSeconds: 1800,
    leechers: 5,
    seeders: 10,
    peers: [
      { host: '127.0.0.1', port: 6881 },
      { host: '10.0.0.2', port: 80 },
    ],
  });
});

test('over IPv6 a peer takes 18 bytes', () => {
  const head = '0000000100000009000007080000000000000001';
  const view = fromHex(`${head}20010db8000000000000000000000001${'1ae1'}`);
  const reply = decodeUdpReply(view, 6);
  assert.deepEqual(reply.action === 'announce' && reply.peers, [
    { host: '2001:db8::1', port: 6881 },
  ]);
});

test('a scrape reply gives seeders, completed and leechers in that order', () => {
  const reply = decodeUdpReply(fromHex('0000000200000009000000010000000200000003'), 4);
  const counts = [{ seeders: 1, completed: 2, leechers: 3 }];
  assert.deepEqual(reply, { action: 'scrape', transactionId: 9, counts });
});

test('an error message cannot move the terminal cursor', () => {
  const reply = decodeUdpReply(fromHex('00000003000000091b5b324a6e6f'), 4);
  assert.deepEqual(reply, { action: 'error', transactionId: 9, message: '[2Jno' });
});

test('what a client cannot know becomes the largest safe size, not a wrong number', () => {
  const view = encodeUdpRequest({
    action: 'announce',
    connectionId: 1n,
    transactionId: 9,
    announce: ANNOUNCE,
    urlData: '',
  });
  view.fill(0xff, 64, 72);
  const request = decodeUdpRequest(view);
  const left = request.action === 'announce' ? request.announce.leftBytes : 0;
  assert.equal(left, Number.MAX_SAFE_INTEGER);
});

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const hash = fc.uint8Array({ minLength: 20, maxLength: 20 });
const size = fc.maxSafeNat();
const announces = fc.record({
  infoHash: hash,
  peerId: hash,
  downloadedBytes: size,
  leftBytes: size,
  uploadedBytes: size,
  event: fc.constantFrom('none', 'completed', 'started', 'stopped'),
  key: u32,
  numWant: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  port: fc.integer({ min: 0, max: 65535 }),
});
const asciiUrl = fc.stringMatching(/^[!-~]{0,600}$/);
const requests: fc.Arbitrary<UdpRequest> = fc.oneof(
  fc.record({ action: fc.constant('connect'), transactionId: u32 }),
  fc.record({
    action: fc.constant('announce'),
    transactionId: u32,
    connectionId: u64,
    announce: announces,
    urlData: asciiUrl,
  }),
  fc.record({
    action: fc.constant('scrape'),
    transactionId: u32,
    connectionId: u64,
    infoHashes: fc.array(hash, { minLength: 1, maxLength: 74 }),
  }),
);

test('every request survives encoding and decoding', () => {
  fc.assert(
    fc.property(requests, (request) => {
      assert.deepEqual(decodeUdpRequest(encodeUdpRequest(request)), structuredClone(request));
    }),
  );
});

const port = fc.integer({ min: 1, max: 65535 });
const replies = (bytes: number): fc.Arbitrary<UdpReply> => {
  const host = fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(formatIp);
  return fc.oneof(
    fc.record({ action: fc.constant('connect'), transactionId: u32, connectionId: u64 }),
    fc.record({
      action: fc.constant('announce'),
      transactionId: u32,
      intervalSeconds: u32,
      leechers: u32,
      seeders: u32,
      peers: fc.array(fc.record({ host, port }), { maxLength: 100 }),
    }),
    fc.record({
      action: fc.constant('scrape'),
      transactionId: u32,
      counts: fc.array(fc.record({ seeders: u32, completed: u32, leechers: u32 })),
    }),
    fc.record({
      action: fc.constant('error'),
      transactionId: u32,
      message: fc.stringMatching(/^([!-~]([ -~]{0,200}[!-~])?)?$/),
    }),
  );
};

for (const family of [4, 6] as const) {
  test(`every reply survives encoding and decoding over IPv${family}`, () => {
    fc.assert(
      fc.property(replies(family === 4 ? 4 : 16), (reply) => {
        assert.deepEqual(
          decodeUdpReply(encodeUdpReply(reply, family), family),
          structuredClone(reply),
        );
      }),
    );
  });
}

test('arbitrary datagrams decode or throw WireError, nothing else', () => {
  const headed = fc
    .tuple(fc.integer({ min: 0, max: 4 }), fc.uint8Array({ maxLength: 200 }))
    .map(([action, view]) => {
      if (view.length > 11) view.set([0, 0, 0, action], view.length % 2 === 0 ? 0 : 8);
      return view;
    });
  fc.assert(
    fc.property(headed, fc.constantFrom<4 | 6>(4, 6), (view, family) => {
      for (const decode of [decodeUdpRequest, (of: Uint8Array) => decodeUdpReply(of, family)]) {
        try {
          decode(view);
        } catch (error) {
          assert.ok(error instanceof WireError);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
