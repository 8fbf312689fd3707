import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ATTO_MAX,
  type Atto,
  atto,
  attoPerMib,
  attoPerSecond,
  bytes,
  hash32FromBytes,
  parseAddress,
  parseHash32,
  unixSeconds,
} from '../../units/index.ts';
import { type Bencodable, encodeBencode } from '../bencode/index.ts';
import { WireError } from '../wire-error.ts';
import { decodeBwPay, encodeBwPay } from './codec.ts';
import {
  BW_PAY_INTEGER_MAX,
  BW_PAY_PRICE_MAX,
  type BwPayMessage,
  type LaneMessage,
} from './messages.ts';

const ID = parseHash32(`0x${'a1'.repeat(32)}`);
const PAYEE = parseAddress(`0x${'b2'.repeat(20)}`);
const SIGNATURE = new Uint8Array(65).fill(7);

const ascii = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

function latin1(view: Uint8Array): string {
  return Array.from(view, (byte) => String.fromCharCode(byte)).join('');
}

test('an accept is a bencoded dictionary with its type under t', () => {
  assert.equal(latin1(encodeBwPay({ type: 'accept', sequence: 3 })), 'd3:seqi3e1:t6:accepte');
});

test('a voucher of 256 atto carries the amount in two bytes, keys in order', () => {
  const voucher = { type: 'voucher', allotment: ID, lane: 5, amount: atto(256n) } as const;
  assert.equal(
    latin1(encodeBwPay({ ...voucher, signature: SIGNATURE })),
    `d6:amount2:\u0001\u00002:id32:${'\u00a1'.repeat(32)}4:lanei5e` +
      `3:sig65:${'\u0007'.repeat(65)}1:t7:vouchere`,
  );
});

test('zero is the empty string, so every amount has one form', () => {
  const text = latin1(encodeBwPay(bidOf(0n)));
  assert.match(text, /^d6:budget0:/);
});

test('unknown keys are ignored, whatever they hold', () => {
  const view = encodeBencode({ t: 'accept', seq: 3, later: { list: [1, 'two'] } });
  assert.deepEqual(decodeBwPay(view), { type: 'accept', sequence: 3 });
});

test('a type of a later version is told apart from nonsense', () => {
  assert.equal(decodeBwPay(encodeBencode({ t: 'refund', seq: 1 })), null);
});

test('a lane with seven steps and the largest sums fits well into 4 KiB', () => {
  const view = encodeBwPay(laneOf(7));
  assert.ok(view.length < 800, `${view.length} bytes`);
});

test('an error text from a peer cannot carry control characters into a log', () => {
  const view = encodeBencode({ t: 'error', code: 'no', text: ascii('a\u001b[2Jb\nc\u00ff') });
  assert.deepEqual(decodeBwPay(view), { type: 'error', code: 'no', text: 'a?[2Jb?c?' });
});

test('our own error text is cut to what may be sent', () => {
  const view = encodeBwPay({
    type: 'error',
    code: 'no',
    text: `${'é'.repeat(10)}${'x'.repeat(900)}`,
  });
  assert.deepEqual(decodeBwPay(view), {
    type: 'error',
    code: 'no',
    text: `${'?'.repeat(10)}${'x'.repeat(246)}`,
  });
});

const bid = { t: 'bid', budget: ascii('\u0001'), max: ascii('\u0001'), rate: 1, seq: 1 };
const voucher = { t: 'voucher', id: new Uint8Array(32), lane: 0, amount: '', sig: SIGNATURE };
const lane = {
  ...{ t: 'lane', id: new Uint8Array(32), payer: new Uint8Array(20), root: new Uint8Array(32) },
  ...{ sum: '', expiry: 1, signer: new Uint8Array(20), depth: 1, lanes: 2, lane: 0 },
  ...{ payee: new Uint8Array(20), cap: '', path: new Uint8Array(48) },
};

const REFUSED: Readonly<Record<string, { readonly [key: string]: Bencodable }>> = {
  'no type': { seq: 1 },
  'a type that is a number': { t: 1, seq: 1 },
  'a missing field': { t: 'accept' },
  'a negative sequence': { t: 'accept', seq: -1 },
  'a sequence of 2^31': { t: 'accept', seq: 2 ** 31 },
  'an integer beyond 2^53': { ...bid, rate: 2n ** 60n },
  'a rate above 256 TiB a second': { ...bid, rate: 2 ** 48 + 1 },
  'a price of 13 bytes': { ...bid, max: new Uint8Array(13).fill(1) },
  'an amount with a leading zero': { ...voucher, amount: ascii('\u0000\u0001') },
  'an amount of 17 bytes': { ...voucher, amount: new Uint8Array(17).fill(1) },
  'an amount as an integer': { ...voucher, amount: 5 },
  'a signature of 64 bytes': { ...voucher, sig: new Uint8Array(64) },
  'lane 128': { ...voucher, lane: 128 },
  'an id of 31 bytes': { ...voucher, id: new Uint8Array(31) },
  'a tick of nothing': { t: 'quote', price: '', share: 0, tick: 0, window: 0, seq: 1 },
  'depth 8': { ...lane, depth: 8 },
  'no lanes': { ...lane, lanes: 0 },
  'a path of one and a half steps': { ...lane, path: new Uint8Array(72) },
  'a path of eight steps': { ...lane, path: new Uint8Array(8 * 48) },
  'an error code with a space': { t: 'error', code: 'a b', text: '' },
  'an error code of 65 bytes': { t: 'error', code: 'x'.repeat(65), text: '' },
  'an error text of 257 bytes': { t: 'error', code: 'x', text: 'x'.repeat(257) },
  'more than 4 KiB': { t: 'accept', seq: 1, pad: new Uint8Array(4096) },
};

for (const [what, fields] of Object.entries(REFUSED)) {
  test(`${what} is refused`, () => {
    const check = (error: unknown): boolean =>
      error instanceof WireError && error.code === 'WIRE_BW_PAY';
    assert.throws(() => decodeBwPay(encodeBencode(fields)), check);
  });
}

test('deep nesting inside an unknown key is refused before it costs anything', () => {
  const view = ascii(`d3:pad${'l'.repeat(50)}${'e'.repeat(50)}3:seqi1e1:t6:accepte`);
  assert.throws(() => decodeBwPay(view), WireError);
});

test('decoded signatures are copies, not views into the socket buffer', () => {
  const view = encodeBwPay({
    ...{ type: 'voucher', allotment: ID, lane: 5, amount: atto(1n), signature: SIGNATURE },
  } as BwPayMessage);
  const decoded = decodeBwPay(view);
  view.fill(0);
  assert.ok(decoded?.type === 'voucher');
  assert.deepEqual(decoded.signature, SIGNATURE);
});

test('property: every message survives encoding and decoding', () => {
  fc.assert(
    fc.property(anyMessage(), (message) => {
      assert.deepEqual(decodeBwPay(encodeBwPay(message)), message);
    }),
    { numRuns: 1000 },
  );
});

test('property: arbitrary bytes decode or throw WireError, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (view) => decodesOrThrowsWireError(view)),
    { numRuns: 1000 },
  );
});

test('property: damaged messages decode or throw WireError, nothing else', () => {
  const damage = fc.array(fc.tuple(fc.nat(800), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(anyMessage(), damage, (message, changes) => {
      const view = encodeBwPay(message);
      for (const [at, byte] of changes) view[at % view.length] = byte;
      decodesOrThrowsWireError(view);
    }),
    { numRuns: 1000 },
  );
});

function decodesOrThrowsWireError(view: Uint8Array): void {
  try {
    decodeBwPay(view);
  } catch (error) {
    assert.ok(error instanceof WireError && error.code === 'WIRE_BW_PAY', String(error));
  }
}

function bidOf(budget: bigint): BwPayMessage {
  return {
    type: 'bid',
    budget: attoPerSecond(budget),
    maxPrice: attoPerMib(1n),
    rate: bytes(0),
    sequence: 1,
  };
}

function laneOf(steps: number): LaneMessage {
  return {
    type: 'lane',
    allotment: ID,
    header: {
      payer: PAYEE,
      root: ID,
      sum: atto(ATTO_MAX),
      expiry: unixSeconds(1_800_000_000),
      signer: PAYEE,
      depth: steps,
      laneCount: 1 << steps,
    },
    lane: { index: 3, payee: PAYEE, cap: atto(ATTO_MAX) },
    path: Array.from({ length: steps }, () => ({ hash: ID, sum: atto(ATTO_MAX) })),
  };
}

/** A record with the prototype of an object literal, as decoded messages have. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

function anyMessage(): fc.Arbitrary<BwPayMessage> {
  const amount: fc.Arbitrary<Atto> = fc.bigInt({ min: 0n, max: ATTO_MAX }).map(atto);
  const price = fc.bigInt({ min: 0n, max: BW_PAY_PRICE_MAX });
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hash32FromBytes);
  const address = hash.map((value) => parseAddress(value.slice(0, 42)));
  const signature = fc.uint8Array({ minLength: 65, maxLength: 65 });
  const size = fc.integer({ min: 0, max: BW_PAY_INTEGER_MAX }).map(bytes);
  const tick = fc.integer({ min: 1, max: BW_PAY_INTEGER_MAX }).map(bytes);
  const sequence = fc.integer({ min: 1, max: 0x7fffffff });
  const index = fc.integer({ min: 0, max: 127 });
  const header = plain({
    payer: address,
    root: hash,
    sum: amount,
    expiry: fc.nat(BW_PAY_INTEGER_MAX).map(unixSeconds),
    signer: address,
    depth: fc.integer({ min: 0, max: 7 }),
    laneCount: fc.integer({ min: 1, max: 128 }),
  });
  const word = fc.stringMatching(/^[!-~]{1,64}$/);
  const text = fc.stringMatching(/^[ -~]{0,256}$/);
  const of = <T extends string>(type: T): fc.Arbitrary<T> => fc.constant(type);
  return fc.oneof<fc.Arbitrary<BwPayMessage>[]>(
    plain({
      type: of('hello'),
      version: fc.integer({ min: 1, max: 255 }),
      chainId: fc.integer({ min: 1, max: BW_PAY_INTEGER_MAX }),
      escrow: address,
      payee: address,
      reserve: price.map(attoPerMib),
      grace: size,
      signature,
    }),
    plain({
      type: of('bid'),
      budget: price.map(attoPerSecond),
      maxPrice: price.map(attoPerMib),
      rate: size,
      sequence,
    }),
    plain({
      type: of('quote'),
      price: price.map(attoPerMib),
      share: size,
      tick,
      window: size,
      sequence,
    }),
    plain({ type: of('accept'), sequence: fc.nat(0x7fffffff) }),
    plain({
      type: of('lane'),
      allotment: hash,
      header,
      lane: plain({ index, payee: address, cap: amount }),
      path: fc.array(plain({ hash, sum: amount }), { maxLength: 7 }),
    }),
    plain({ type: of('voucher'), allotment: hash, lane: index, amount, signature }),
    plain({
      type: of('ack'),
      allotment: hash,
      lane: index,
      amount,
      metered: size,
      window: size,
    }),
    plain({ type: of('error'), code: word, text }),
  );
}
