import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, fromHex, toHex } from '../../units/index.ts';
import { WireError, type WireErrorCode } from '../wire-error.ts';
import { PeerFramer, type PeerMessageSink } from './framer.ts';
import {
  EXTENDED_BYTES_MAX,
  encodeBare,
  encodeBitfield,
  encodeBlockRef,
  encodeExtended,
  encodeIndex,
  encodePort,
  MESSAGE,
  putPieceHeader,
} from './messages.ts';

/** Writes down what a stream says, one line per message; keeps blocks. */
function recorder(log: string[], wants: (index: number) => boolean = () => true): PeerMessageSink {
  let block: Uint8Array | null = null;
  return {
    onChoke: (isChoking) => log.push(isChoking ? 'choke' : 'unchoke'),
    onInterested: (isInterested) => log.push(isInterested ? 'interested' : 'not interested'),
    onHave: (index) => log.push(`have ${index}`),
    onBitfield: (bits) => log.push(`bitfield ${toHex(bits)}`),
    onHaveAll: () => log.push('have all'),
    onHaveNone: () => log.push('have none'),
    onRequest: (...block) => log.push(`request ${block}`),
    onCancel: (...block) => log.push(`cancel ${block}`),
    onReject: (...block) => log.push(`reject ${block}`),
    onAllowedFast: (index) => log.push(`allowed fast ${index}`),
    onPort: (port) => log.push(`port ${port}`),
    onExtended: (id, payload) => log.push(`extended ${id} ${toHex(payload)}`),
    onHashMessage: (id, body) => log.push(`hashes ${id} ${body.length}`),
    onBlockStart: (index, begin, length) => {
      log.push(`block ${index},${begin},${length}`);
      block = wants(index) ? new Uint8Array(length) : null;
      return block;
    },
    onBlockEnd: () => {
      log.push(block ? `data ${toHex(block)}` : 'dropped');
      block = null;
    },
  };
}

/** What a stream says when it is cut at the given places. */
function read(stream: Uint8Array, cuts: readonly number[] = []): string[] {
  const log: string[] = [];
  const framer = new PeerFramer(recorder(log));
  const edges = [0, ...[...cuts].sort((a, b) => a - b), stream.length];
  for (const [nth, edge] of edges.slice(1).entries()) {
    // Every chunk is a copy that is destroyed afterwards, as a reader's shared buffer would be.
    const chunk = stream.slice(edges[nth], edge);
    framer.push(chunk);
    chunk.fill(0xee);
  }
  return log;
}

function block(index: number, begin: number, payload: Uint8Array): Uint8Array {
  const view = new Uint8Array(13 + payload.length);
  putPieceHeader(view, 0, { index, begin, length: payload.length });
  view.set(payload, 13);
  return view;
}

function refusal(stream: Uint8Array): WireErrorCode | null {
  try {
    read(stream);
    return null;
  } catch (failure) {
    if (failure instanceof WireError) return failure.code;
    throw failure;
  }
}

/** Only the first five bytes of a message: its length and id. */
function announced(id: number, length: number): Uint8Array {
  return Uint8Array.of(
    length >>> 24,
    (length >>> 16) & 255,
    (length >>> 8) & 255,
    length & 255,
    id,
  );
}

const ref = { index: 1, begin: 16384, length: 16384 };

test('every message of BEP 3 and BEP 6 has its bytes and is read back', () => {
  const vectors: readonly (readonly [string, Uint8Array, string])[] = [
    ['0000000100', encodeBare(MESSAGE.choke), 'choke'],
    ['0000000101', encodeBare(MESSAGE.unchoke), 'unchoke'],
    ['0000000102', encodeBare(MESSAGE.interested), 'interested'],
    ['0000000103', encodeBare(MESSAGE.notInterested), 'not interested'],
    ['00000005040000000a', encodeIndex(MESSAGE.have, 10), 'have 10'],
    ['0000000305a080', encodeBitfield(Uint8Array.of(0xa0, 0x80)), 'bitfield a080'],
    [
      '0000000d06000000010000400000004000',
      encodeBlockRef(MESSAGE.request, ref),
      'request 1,16384,16384',
    ],
    [
      '0000000d08000000010000400000004000',
      encodeBlockRef(MESSAGE.cancel, ref),
      'cancel 1,16384,16384',
    ],
    ['000000010e', encodeBare(MESSAGE.haveAll), 'have all'],
    ['000000010f', encodeBare(MESSAGE.haveNone), 'have none'],
    [
      '0000000d10000000010000400000004000',
      encodeBlockRef(MESSAGE.reject, ref),
      'reject 1,16384,16384',
    ],
    ['000000051100000007', encodeIndex(MESSAGE.allowedFast, 7), 'allowed fast 7'],
    ['00000003091ae1', encodePort(6881), 'port 6881'],
    ['0000000414006465', encodeExtended(0, Uint8Array.of(0x64, 0x65)), 'extended 0 6465'],
  ];
  for (const [hex, encoded, meaning] of vectors) {
    assert.equal(toHex(encoded), hex);
    assert.deepEqual(read(fromHex(hex)), [meaning]);
  }
});

test('a block is index, begin and payload (BEP 3)', () => {
  const stream = fromHex('0000000c07000000020000400001020304'.replace('0c', '0d'));
  assert.deepEqual(read(stream), ['block 2,16384,4', 'data 01020304']);
});

test('indexes up to 2^32-1 are read as positive numbers', () => {
  assert.deepEqual(read(encodeIndex(MESSAGE.have, 0xffffffff)), ['have 4294967295']);
});

test('keep-alives, suggestions and unknown messages say nothing', () => {
  const stream = concatBytes(
    new Uint8Array(4),
    encodeIndex(MESSAGE.suggest, 3),
    fromHex('00000004630102ff'),
    new Uint8Array(8),
    encodeBare(MESSAGE.haveAll),
  );
  assert.deepEqual(read(stream), ['have all']);
});

// A message whose end came alone, after its first five bytes, was kept until more bytes arrived:
// an unchoke split that way was not heard before the next message.
test('a message is heard as soon as its last byte is here', () => {
  for (const stream of [encodeBare(MESSAGE.unchoke), encodeIndex(MESSAGE.have, 1)]) {
    for (let cut = 1; cut < stream.length; cut++) {
      assert.equal(read(stream, [cut]).length, 1, `cut at ${cut}`);
    }
  }
});

test('a stream says the same however it is split', () => {
  const small = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const index = fc.nat(0xffffffff);
  const anyRef = fc.record({ index, begin: index, length: index });
  const message = fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 14, 15).map(encodeBare),
    fc.tuple(fc.constantFrom(4, 13, 17), index).map(([id, at]) => encodeIndex(id, at)),
    fc.tuple(fc.constantFrom(6, 8, 16), anyRef).map(([id, at]) => encodeBlockRef(id, at)),
    small.map(encodeBitfield),
    fc.tuple(fc.nat(255), small).map(([id, payload]) => encodeExtended(id, payload)),
    fc.tuple(index, index, small).map(([at, begin, payload]) => block(at, begin, payload)),
    fc.constant(new Uint8Array(4)),
  );
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 12 }),
      fc.array(fc.nat(1000), { maxLength: 40 }),
      (messages, places) => {
        const stream = concatBytes(...messages);
        const whole = read(stream);
        const cuts = places.map((place) => place % (stream.length + 1));
        assert.deepEqual(read(stream, cuts), whole);
        const everywhere = Array.from(stream, (_, at) => at);
        assert.deepEqual(read(stream, everywhere), whole);
      },
    ),
    { numRuns: 300 },
  );
});

test('a message that is too long is refused at its fifth byte, before its body', () => {
  const longest: readonly (readonly [number, number])[] = [
    [MESSAGE.piece, 9 + 16384],
    [MESSAGE.bitfield, 1 + 262144],
    [MESSAGE.extended, EXTENDED_BYTES_MAX],
    [MESSAGE.have, 65536],
    [99, 65536],
  ];
  for (const [id, length] of longest) {
    assert.equal(refusal(announced(id, length)), null, `message ${id} of ${length}`);
    assert.equal(refusal(announced(id, length + 1)), 'WIRE_LENGTH_EXCEEDED', `message ${id}`);
    assert.equal(refusal(announced(id, 0xffffffff)), 'WIRE_LENGTH_EXCEEDED', `message ${id}`);
  }
});

test('a message of a wrong fixed length is refused', () => {
  for (const hex of [
    '000000020001',
    '00000004040000ff',
    '0000000606000000ff01',
    '0000000e080000000100004000000040ffff',
    '000000020eff',
    '0000000211ff',
    '0000000114',
  ]) {
    assert.equal(refusal(fromHex(hex)), 'WIRE_MESSAGE', hex);
  }
});

test('a block without payload is refused', () => {
  assert.equal(refusal(block(0, 0, new Uint8Array(0))), 'WIRE_MESSAGE');
  assert.equal(refusal(fromHex('0000000507ffffffff')), 'WIRE_MESSAGE');
});

test('arbitrary bytes are messages or a WireError, and nothing else', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(fc.nat(25), fc.nat(40), fc.uint8Array({ maxLength: 60 }))
      .map(([id, length, rest]) => concatBytes(announced(id, length), rest)),
  );
  fc.assert(
    fc.property(noise, (stream) => {
      refusal(stream);
    }),
    { numRuns: 1000 },
  );
});

test('the payload of a block nobody wants is skipped', () => {
  const log: string[] = [];
  const framer = new PeerFramer(recorder(log, () => false));
  framer.push(concatBytes(block(1, 0, new Uint8Array(9)), encodeBare(MESSAGE.choke)));
  assert.deepEqual(log, ['block 1,0,9', 'dropped', 'choke']);
});

test('a target that is taken away in the middle of a block is not written to any more', () => {
  const target = new Uint8Array(4);
  const framer = new PeerFramer({ ...recorder([]), onBlockStart: () => target });
  const stream = block(0, 0, Uint8Array.of(1, 2, 3, 4));
  framer.push(stream.subarray(0, 15));
  assert.equal(framer.target, target);
  framer.dropTarget();
  framer.push(stream.subarray(15));
  assert.deepEqual([...target], [1, 2, 0, 0]);
});

test('nothing is delivered after a stop, not even from the bytes under way', () => {
  const log: string[] = [];
  const framer = new PeerFramer({
    ...recorder(log),
    onChoke: () => {
      log.push('choke');
      framer.stop();
    },
  });
  framer.push(concatBytes(encodeBare(MESSAGE.choke), encodeBare(MESSAGE.haveAll)));
  assert.deepEqual(log, ['choke']);
});
