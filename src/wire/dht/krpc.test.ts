import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, equalBytes } from '../../units/index.ts';
import { decodeLatin1, encodeUtf8 } from '../bencode/index.ts';
import { formatIp } from '../tracker/endpoint.ts';
import { WireError } from '../wire-error.ts';
import {
  type DhtQuery,
  type DhtReply,
  decodeKrpc,
  EMPTY_REPLY,
  encodeKrpc,
  ITEM_SEQUENCE_MAX,
  KRPC_PACKET_BYTES_MAX,
  type KrpcMessage,
} from './index.ts';

const decode = (text: string): KrpcMessage => decodeKrpc(encodeUtf8(text));
const encode = (message: KrpcMessage): string => decodeLatin1(encodeKrpc(message));
const aa = encodeUtf8('aa');
const alice = encodeUtf8('abcdefghij0123456789');
const bob = encodeUtf8('mnopqrstuvwxyz123456');

function query(of: DhtQuery): KrpcMessage {
  return { kind: 'query', transactionId: aa, senderId: alice, isReadOnly: false, query: of };
}

function reply(of: Partial<DhtReply>, senderId: Uint8Array = bob): KrpcMessage {
  const whole = { ...EMPTY_REPLY, ...of };
  return { kind: 'reply', transactionId: aa, senderId, reply: whole, externalAddress: null };
}

/** Packets of BEP 5, to the letter. */
const BEP_5: readonly (readonly [name: string, packet: string, message: KrpcMessage])[] = [
  [
    'error',
    'd1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee',
    {
      ...{ kind: 'error', transactionId: aa, code: 201, text: 'A Generic Error Ocurred' },
      externalAddress: null,
    },
  ],
  ['ping', 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe', query({ method: 'ping' })],
  ['ping reply', 'd1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re', reply({})],
  [
    'find_node',
    'd1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe',
    query({ method: 'find_node', target: bob, want: null }),
  ],
  [
    'get_peers',
    'd1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe',
    query({ method: 'get_peers', infoHash: bob, want: null, isScrape: false, noSeeds: false }),
  ],
  [
    'get_peers reply with peers',
    'd1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re',
    reply(
      {
        token: encodeUtf8('aoeusnth'),
        peers: [
          { host: '97.120.106.101', port: 11893 },
          { host: '105.100.104.116', port: 28269 },
        ],
      },
      alice,
    ),
  ],
  [
    'announce_peer',
    'd1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe',
    query({
      ...{ method: 'announce_peer', infoHash: bob, port: 6881, isPortImplied: true },
      ...{ isSeed: false, token: encodeUtf8('aoeusnth') },
    }),
  ],
];

for (const [name, packet, message] of BEP_5) {
  test(`BEP 5: the ${name} packet, both ways`, () => {
    assert.deepEqual(decode(packet), message);
    assert.equal(encode(message), packet);
  });
}

test('BEP 5: nodes of a reply are 26 bytes each', () => {
  const text =
    'd1:rd2:id20:0123456789abcdefghij5:nodes26:mnopqrstuvwxyz123456axje.ue1:t2:aa1:y1:re';
  const message = decode(text);
  assert.ok(message.kind === 'reply');
  assert.deepEqual(message.reply.nodes, [{ id: bob, host: '97.120.106.101', port: 11893 }]);
});

test('BEP 32: what nodes are wanted, and nodes6', () => {
  const both = query({ method: 'find_node', target: bob, want: [4, 6] });
  assert.match(encode(both), /4:wantl2:n42:n6e/);
  assert.deepEqual(decodeKrpc(encodeKrpc(both)), both);
  const six = reply({ nodes6: [{ id: alice, host: '2001:db8::1', port: 6881 }] });
  assert.deepEqual(decodeKrpc(encodeKrpc(six)), six);
});

test('BEP 43: a read-only node says so at the top level', () => {
  const message = { ...query({ method: 'ping' }), isReadOnly: true } as const;
  assert.match(encode(message), /2:roi1e/);
  assert.deepEqual(decodeKrpc(encodeKrpc(message)), message);
});

test('BEP 42: a reply tells the asker its address', () => {
  const message = { ...reply({}), externalAddress: { host: '192.0.2.7', port: 6881 } };
  assert.match(encode(message), /^d2:ip6:/);
  assert.deepEqual(decodeKrpc(encodeKrpc(message)), message);
});

test('BEP 44: the value counts as it was written, not as it would be written again', () => {
  // Keys out of order and a leading zero: decoding and encoding would change it.
  const value = 'd1:bi01e1:ai2ee';
  const text = `d1:ad2:id20:abcdefghij01234567895:token2:tt1:v${value}e1:q3:put1:t2:aa1:y1:qe`;
  const message = decode(text);
  assert.ok(message.kind === 'query' && message.query.method === 'put');
  assert.equal(decodeLatin1(message.query.item.value), value);
  assert.equal(encode(message), text);
});

test('BEP 51: samples come with a count and an interval', () => {
  const samples = { infoHashes: [alice, bob], totalCount: 90, intervalSeconds: 300 };
  const message = reply({ samples });
  assert.deepEqual(decodeKrpc(encodeKrpc(message)), message);
  const empty = reply({ samples: { infoHashes: [], totalCount: 0, intervalSeconds: 0 } });
  assert.deepEqual(decodeKrpc(encodeKrpc(empty)), empty);
});

test('an unknown method keeps its target, so that it can be answered like find_node', () => {
  const text =
    'd1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q4:vote1:t2:aa1:y1:qe';
  assert.deepEqual(decode(text), query({ method: 'unknown', target: bob }));
});

test('a query with wrong arguments is one that can be refused', () => {
  for (const [method, args] of [
    ['find_node', ''],
    ['get_peers', '9:info_hash3:abc'],
    ['announce_peer', '9:info_hash20:mnopqrstuvwxyz1234564:porti0e5:token2:tt'],
    ['announce_peer', '9:info_hash20:mnopqrstuvwxyz1234564:porti80e'],
    ['put', '5:token2:tt'],
    ['put', '1:k2:kk5:token2:tt1:vi1e'],
  ] as const) {
    const text = `d1:ad2:id20:abcdefghij0123456789${args}e1:q${method.length}:${method}1:t2:aa1:y1:qe`;
    const message = decode(text);
    assert.ok(message.kind === 'query' && message.query.method === 'invalid', method);
  }
});

test('packets that are no DHT messages are refused', () => {
  for (const text of [
    'de',
    'd1:t2:aa1:y1:ze',
    'd1:y1:q1:t2:aae',
    'd1:rd2:id3:abce1:t2:aa1:y1:re',
    `d1:rd2:id20:mnopqrstuvwxyz123456e1:t33:${'t'.repeat(33)}1:y1:re`,
    `d1:rd2:id20:mnopqrstuvwxyz1234561:v2000:${'v'.repeat(KRPC_PACKET_BYTES_MAX)}e1:t2:aa1:y1:re`,
  ]) {
    assert.throws(() => decode(text), { name: 'WireError' }, text.slice(0, 60));
  }
});

const hash = fc.uint8Array({ minLength: 20, maxLength: 20 });
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const port = fc.integer({ min: 1, max: 65535 });
const v4 = fc.record({ host: bytesOf(4).map(formatIp), port });
const v6 = fc.record({ host: bytesOf(16).map(formatIp), port });
const token = fc.uint8Array({ minLength: 1, maxLength: 20 });
const want = fc.constantFrom(null, [4], [6], [4, 6]) as fc.Arbitrary<null | (4 | 6)[]>;
const sequence = fc.bigInt({ min: 0n, max: ITEM_SEQUENCE_MAX });
const value = fc.uint8Array({ maxLength: 200 }).map((view) => {
  return concatBytes(encodeUtf8(`${view.length}:`), view);
});
const item = fc.oneof(
  fc.record({ kind: fc.constant('immutable' as const), value }),
  fc.record({
    kind: fc.constant('mutable' as const),
    ...{ value, publicKey: bytesOf(32), salt: fc.uint8Array({ maxLength: 64 }) },
    ...{ sequence, signature: bytesOf(64) },
  }),
);
const anyQuery: fc.Arbitrary<DhtQuery> = fc.oneof(
  fc.record({ method: fc.constant('ping' as const) }),
  fc.record({ method: fc.constantFrom('find_node', 'sample_infohashes'), target: hash, want }),
  fc.record({
    method: fc.constant('get_peers' as const),
    ...{ infoHash: hash, want, isScrape: fc.boolean(), noSeeds: fc.boolean() },
  }),
  fc.record({
    method: fc.constant('announce_peer' as const),
    ...{ infoHash: hash, port, isPortImplied: fc.boolean(), isSeed: fc.boolean(), token },
  }),
  fc.record({
    method: fc.constant('get' as const),
    ...{ target: hash, want, sequence: fc.option(sequence) },
  }),
  fc
    .record({ method: fc.constant('put' as const), token, item, cas: fc.option(sequence) })
    .map(({ cas, ...rest }) => {
      return { ...rest, expectedSequence: rest.item.kind === 'mutable' ? cas : null };
    }),
);
const anyReply: fc.Arbitrary<DhtReply> = fc.record({
  nodes: fc.array(
    fc.tuple(hash, v4).map(([id, where]) => ({ id, ...where })),
    { maxLength: 8 },
  ),
  nodes6: fc.array(
    fc.tuple(hash, v6).map(([id, where]) => ({ id, ...where })),
    { maxLength: 8 },
  ),
  token: fc.option(token),
  peers: fc.array(fc.oneof(v4, v6), { maxLength: 20 }),
  seedFilter: fc.option(bytesOf(256)),
  peerFilter: fc.option(bytesOf(256)),
  item: fc.option(
    fc.record({
      value,
      signed: fc.option(fc.record({ publicKey: bytesOf(32), signature: bytesOf(64) })),
    }),
  ),
  sequence: fc.option(sequence),
  samples: fc.constant(null),
});
const head = {
  transactionId: fc.uint8Array({ maxLength: 8 }),
  senderId: hash,
};
const anyMessage: fc.Arbitrary<KrpcMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('query' as const),
    ...head,
    ...{ isReadOnly: fc.boolean(), query: anyQuery },
  }),
  fc.record({
    kind: fc.constant('reply' as const),
    ...head,
    ...{ reply: anyReply, externalAddress: fc.option(fc.oneof(v4, v6)) },
  }),
);

test('every message decodes to what was encoded', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      // The clone turns fast-check's objects without a prototype into plain ones.
      assert.deepEqual(decodeKrpc(encodeKrpc(message)), structuredClone(message));
    }),
    { numRuns: 1000 },
  );
});

test('arbitrary and damaged bytes decode or throw WireError', () => {
  const damaged = fc
    .tuple(anyMessage, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
    .map(([message, damages, cut]) => {
      const view = encodeKrpc(message);
      for (const [at, byte] of damages) view[at % view.length] = byte;
      return cut % 3 === 0 ? view.subarray(0, cut % view.length) : view;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (view) => {
      try {
        decodeKrpc(view);
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('nothing decoded is a view into the packet', () => {
  const view = encodeKrpc(query({ method: 'find_node', target: bob, want: null }));
  const message = decodeKrpc(view);
  view.fill(0);
  assert.ok(message.kind === 'query' && message.query.method === 'find_node');
  assert.ok(equalBytes(message.query.target, bob) && equalBytes(message.senderId, alice));
});
