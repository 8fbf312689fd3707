import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes } from '../../units/index.ts';
import { WireError } from '../wire-error.ts';
import {
  BENCODE_DEPTH_MAX,
  BENCODE_TOKENS_MAX,
  type Bencodable,
  BencodeDict,
  type BencodeValue,
  decodeBencode,
  decodeBencodeDict,
  decodeBencodePrefix,
  decodeUtf8,
  encodeBencode,
  encodeUtf8,
  isBencodeList,
  RawBencode,
  utf8Length,
} from './index.ts';

function decode(text: string): BencodeValue {
  return decodeBencode(encodeUtf8(text));
}

/** Plain JavaScript of a decoded value, byte strings as text. */
function plain(value: BencodeValue): unknown {
  if (value instanceof Uint8Array) return decodeUtf8(value);
  if (isBencodeList(value)) return value.map(plain);
  if (value instanceof BencodeDict) {
    return Object.fromEntries([...value.entries()].map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

const refused = { name: 'WireError', code: 'WIRE_BENCODE' };

test('the examples of BEP 3', () => {
  assert.equal(plain(decode('4:spam')), 'spam');
  assert.equal(decode('i3e'), 3);
  assert.equal(decode('i-3e'), -3);
  assert.equal(decode('i0e'), 0);
  assert.deepEqual(plain(decode('l4:spam4:eggse')), ['spam', 'eggs']);
  assert.deepEqual(plain(decode('d3:cow3:moo4:spam4:eggse')), { cow: 'moo', spam: 'eggs' });
  assert.deepEqual(plain(decode('d4:spaml1:a1:bee')), { spam: ['a', 'b'] });
  assert.deepEqual(plain(decode('0:')), '');
  assert.deepEqual(plain(decode('le')), []);
  assert.deepEqual(plain(decode('de')), {});
});

test('an integer past 2^53 is an exact bigint', () => {
  assert.equal(decode('i9007199254740991e'), Number.MAX_SAFE_INTEGER);
  assert.equal(decode('i9007199254740993e'), 9007199254740993n);
  assert.equal(decode('i-18446744073709551615e'), -18446744073709551615n);
});

const MALFORMED = [
  '',
  'i',
  'ie',
  'i-e',
  'i--1e',
  'i1',
  'i1x',
  'i1.5e',
  'i+1e',
  'i123456789012345678901e',
  '5:spam',
  '4spam',
  '1',
  '-1:a',
  '99999999999999999999:a',
  '000000000000000000001:a',
  'l',
  'd',
  'e',
  'l4:spam',
  'd4:spame',
  'di1e1:ae',
  'd1:ai1e1:be',
  'dlei1ee',
  'x',
  '1:ab',
  'i1ei2e',
];

for (const text of MALFORMED) {
  test(`'${text}' is refused`, () => {
    assert.throws(() => decode(text), refused);
  });
}

test('leading zeros and unsorted keys pass, but are not canonical', () => {
  for (const text of ['d1:ai01ee', 'd01:ai1ee', 'd1:bi1e1:ai2ee', 'd1:a02:xye']) {
    assert.equal(decodeBencodeDict(encodeUtf8(text)).span.isCanonical, false, text);
  }
  for (const text of ['de', 'd1:ai0ee', 'd1:ai-0ee', 'd1:ai-1e2:aade1:b0:e']) {
    assert.equal(decodeBencodeDict(encodeUtf8(text)).span.isCanonical, true, text);
  }
});

test('what is not canonical deep inside shows in every dictionary around it', () => {
  const outer = decodeBencodeDict(encodeUtf8('d1:ald1:xi00eee1:bdee'));
  assert.equal(outer.span.isCanonical, false);
  assert.equal(outer.dict('b')?.span.isCanonical, true);
});

test('of a repeated key the first value counts', () => {
  const dict = decodeBencodeDict(encodeUtf8('d1:ai1e1:ai2ee'));
  assert.equal(dict.integer('a'), 1);
  assert.equal(dict.span.isCanonical, false);
});

test('keys named like parts of a prototype are only keys', () => {
  const dict = decodeBencodeDict(encodeUtf8('d9:__proto__i1e11:constructori2ee'));
  assert.equal(dict.integer('__proto__'), 1);
  assert.equal(dict.integer('constructor'), 2);
  assert.equal(dict.has('toString'), false);
  assert.equal(Reflect.get({}, 'constructor'), Object);
});

test('a getter answers null for a value of another type', () => {
  const dict = decodeBencodeDict(encodeUtf8('d1:ai1e1:b1:xe'));
  assert.equal(dict.bytes('a'), null);
  assert.equal(dict.text('a'), null);
  assert.equal(dict.list('a'), null);
  assert.equal(dict.dict('a'), null);
  assert.equal(dict.integer('b'), null);
  assert.equal(dict.integer('c'), null);
});

test('a dictionary knows the bytes it was read from', () => {
  const view = encodeUtf8('d4:infod1:ai1ee1:zi1ee');
  const span = decodeBencodeDict(view).dict('info')?.span;
  assert.ok(span);
  assert.equal(decodeUtf8(view.subarray(span.start, span.end)), 'd1:ai1ee');
});

test('a payload may follow where the caller expects one', () => {
  const { value, end } = decodeBencodePrefix(encodeUtf8('d8:msg_typei1eeDATA'));
  assert.deepEqual(plain(value), { msg_type: 1 });
  assert.equal(end, 15);
});

test('byte strings borrow from the input', () => {
  const view = encodeUtf8('4:spam');
  const value = decodeBencode(view);
  assert.ok(value instanceof Uint8Array);
  assert.equal(value.buffer, view.buffer);
});

test('nesting has a bound, however the containers mix', () => {
  const nested = (depth: number) => encodeUtf8('l'.repeat(depth) + 'e'.repeat(depth));
  assert.doesNotThrow(() => decodeBencode(nested(BENCODE_DEPTH_MAX - 1)));
  assert.throws(() => decodeBencode(nested(BENCODE_DEPTH_MAX)), refused);
  assert.throws(() => decodeBencode(encodeUtf8('d1:a'.repeat(1_000_000))), refused);
  assert.throws(() => decodeBencode(nested(5), { depthMax: 5 }), refused);
});

test('tokens and length have bounds given by the caller', () => {
  assert.doesNotThrow(() => decodeBencode(encodeUtf8('li1ei2ee'), { tokensMax: 4 }));
  assert.throws(() => decodeBencode(encodeUtf8('li1ei2ee'), { tokensMax: 3 }), refused);
  assert.doesNotThrow(() => decodeBencode(encodeUtf8('2:ab'), { lengthBytesMax: 4 }));
  assert.throws(() => decodeBencode(encodeUtf8('2:ab'), { lengthBytesMax: 3 }), refused);
});

test('left out, the bounds are three million tokens and 64 MiB', () => {
  const zeros = (count: number) => encodeUtf8(`l${'i0e'.repeat(count)}e`);
  assert.doesNotThrow(() => decodeBencode(zeros(BENCODE_TOKENS_MAX - 2)));
  assert.throws(() => decodeBencode(zeros(BENCODE_TOKENS_MAX - 1)), refused);
  assert.equal(BENCODE_TOKENS_MAX, 3_000_000);
  const string = (length: number) => {
    const head = encodeUtf8(`${length - 9}:`);
    return concatBytes(head, new Uint8Array(length - head.length));
  };
  const most = 64 * 1024 * 1024;
  assert.doesNotThrow(() => decodeBencode(string(most)));
  assert.throws(() => decodeBencode(string(most + 1)), { message: /more than the 67108864/ });
});

test('keys are written in the order of their raw bytes', () => {
  const key = (...codes: number[]) => String.fromCharCode(...codes);
  const map = new Map([
    [key(0xff), 1],
    [key(0x7f), 2],
    ['aa', 3],
    ['a', 4],
  ]);
  const order = [...decodeBencodeDict(encodeBencode(map)).entries()].map(([, value]) => value);
  assert.deepEqual(order, [4, 3, 2, 1]);
});

test('undefined properties are left out and raw bytes go out as they are', () => {
  const raw = new RawBencode(encodeUtf8('d1:bi1e1:ai2ee'));
  const view = encodeBencode({ info: raw, comment: undefined, n: 10n });
  assert.equal(decodeUtf8(view), 'd4:infod1:bi1e1:ai2ee1:ni10ee');
});

test('a number that is no integer is our own mistake', () => {
  assert.throws(() => encodeBencode(1.5), { name: 'AssertionFailure' });
  assert.throws(() => encodeBencode({ ключ: 1 }), { name: 'AssertionFailure' });
});

test('UTF-8 goes both ways and marks what is invalid', () => {
  assert.equal(decodeUtf8(encodeUtf8('aé—💈\uD800')), 'aé—💈\uFFFD');
  assert.equal(decodeUtf8(Uint8Array.of(0x61, 0xc0, 0xae, 0x62)), 'a\uFFFDb');
  assert.equal(decodeUtf8(Uint8Array.of(0xe2, 0x9f)), '\uFFFD');
  assert.equal(decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80)), '\uFFFD');
});

test('UTF-8 agrees with the platform on every well-formed text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const view = new TextEncoder().encode(text);
      assert.deepEqual(encodeUtf8(text), view);
      assert.equal(decodeUtf8(view), text);
      assert.equal(utf8Length(text), view.length);
    }),
    { numRuns: 1000 },
  );
});

const key = fc.uint8Array({ maxLength: 6 }).map((view) => String.fromCharCode(...view));
const { value } = fc.letrec<{ value: Bencodable }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), { selector: ([name]) => name, maxLength: 5 })
      .map((entries) => new Map(entries)),
  ),
}));

test('what was encoded decodes to the same, canonically', () => {
  fc.assert(
    fc.property(value, (original) => {
      const view = encodeBencode(original);
      const decoded = decodeBencode(view);
      assert.deepEqual(encodeBencode(decoded), view);
      if (decoded instanceof BencodeDict) assert.ok(decoded.span.isCanonical);
    }),
    { numRuns: 1000 },
  );
});

test('arbitrary bytes decode or throw WireError', () => {
  const bencodeLike = fc
    .array(fc.constantFrom(...'idle0123456789:-a'), { maxLength: 40 })
    .map((letters) => encodeUtf8(letters.join('')));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), bencodeLike), (view) => {
      try {
        decodeBencodePrefix(view);
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
