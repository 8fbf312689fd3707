/** Makes wrong inputs of right ones: the same from the same randomness. */
import { type Random, randomInt } from '../../src/units/index.ts';

/** Changes to one input at most. */
const CHANGES_MAX = 6;
const INPUT_BYTES_MAX = 64 * 1024;

/** Bytes and texts that parsers stumble over. */
const BOUNDARIES: readonly number[] = [0, 1, 0x2d, 0x30, 0x39, 0x3a, 0x65, 0x7f, 0x80, 0xff];
const WORDS: readonly Uint8Array[] = [
  'd',
  'l',
  'e',
  'i0e',
  'i-1e',
  'i-0e',
  'i9007199254740993e',
  'i99999999999999999999e',
  '0:',
  '4294967295:',
  '18446744073709551616:',
  'de',
  'le',
  '6:pieces',
  '../',
  '%00',
  '%',
  '\u0000',
  '\ufeff',
  '255.255.255.255',
  '::ffff:',
].map((word) => new TextEncoder().encode(word));

/** A changed copy of one of `corpus`, or now and then bytes without any sense. */
export function mutate(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  if (random() < 0.02) return noise(random, 300);
  let bytes = pick(corpus, random);
  for (let left = 1 + randomInt(random, CHANGES_MAX); left > 0; left--) {
    bytes = change(bytes, corpus, random);
  }
  return bytes.slice(0, INPUT_BYTES_MAX);
}

function change(bytes: Uint8Array, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  const at = randomInt(random, bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + randomInt(random, random() < 0.5 ? 4 : 64));
  switch (randomInt(random, 8)) {
    case 0:
      return replace(bytes, at, at + 1, [(bytes[at] ?? 0) ^ (1 << randomInt(random, 8))]);
    case 1:
      return replace(bytes, at, at + 1, [BOUNDARIES[randomInt(random, BOUNDARIES.length)] ?? 0]);
    case 2:
      return replace(bytes, at, end, []);
    case 3:
      return replace(bytes, at, at, bytes.subarray(at, end));
    case 4:
      return replace(bytes, at, at, noise(random, 16));
    case 5:
      return replace(bytes, at, random() < 0.5 ? at : end, pick(WORDS, random));
    case 6: {
      const other = pick(corpus, random);
      return replace(bytes, at, bytes.length, other.subarray(randomInt(random, other.length + 1)));
    }
    default:
      return bytes.subarray(0, at);
  }
}

function replace(bytes: Uint8Array, from: number, to: number, by: ArrayLike<number>): Uint8Array {
  const tail = bytes.subarray(Math.min(to, bytes.length));
  const changed = new Uint8Array(from + by.length + tail.length);
  changed.set(bytes.subarray(0, from));
  changed.set(by, from);
  changed.set(tail, from + by.length);
  return changed;
}

function noise(random: Random, lengthMax: number): Uint8Array {
  return new Uint8Array(randomInt(random, lengthMax)).map(() => randomInt(random, 256));
}

function pick(list: readonly Uint8Array[], random: Random): Uint8Array {
  return list[randomInt(random, list.length)] ?? new Uint8Array(0);
}
