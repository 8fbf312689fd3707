/** Bencode that need not be tidy: dictionaries keep the order of their keys, and any twice. */
import type { SeededRandom } from '../support/random.ts';
import { LINKS, NAMES, ODD_NAMES } from './odd-words.ts';

/** A value; each character of a string is a byte. `Raw` goes out as it is. */
export type Odd = number | bigint | string | Uint8Array | Raw | OddDict | Odd[];

/** One of a list, each as likely. */
export type Choose = <T>(list: readonly T[]) => T;

/** Bytes that stand for a value. */
class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A dictionary whose entries go out in this order. */
export class OddDict {
  entries: [key: string, value: Odd][] = [];

  static of(entries: Readonly<Record<string, Odd>>): OddDict {
    const dict = new OddDict();
    for (const [key, value] of Object.entries(entries)) dict.set(key, value);
    return dict;
  }

  get(key: string): Odd | undefined {
    return this.entries.find(([each]) => each === key)?.[1];
  }

  /** In its sorted place when it is new. */
  set(key: string, value: Odd): void {
    const known = this.entries.find(([each]) => each === key);
    if (known !== undefined) {
      known[1] = value;
      return;
    }
    const at = this.entries.findIndex(([each]) => each > key);
    this.entries.splice(at < 0 ? this.entries.length : at, 0, [key, value]);
  }

  encode(): Uint8Array {
    return Buffer.from(textOf(this), 'latin1');
  }
}

function textOf(value: Odd): string {
  if (value instanceof Raw) return value.text;
  if (typeof value === 'number' || typeof value === 'bigint') return `i${value}e`;
  if (value instanceof Uint8Array) return textOf(Buffer.from(value).toString('latin1'));
  if (typeof value === 'string') return `${value.length}:${value}`;
  if (Array.isArray(value)) return `l${value.map(textOf).join('')}e`;
  return `d${value.entries.map(([key, each]) => textOf(key) + textOf(each)).join('')}e`;
}

/** A place in the torrent that holds a value. */
interface Place {
  readonly name: string;
  readonly value: Odd;
  set(value: Odd): void;
  remove(): void;
  /** Puts another value beside it; under the key given, in a dictionary. */
  add(value: Odd, key: string): void;
}

function* placesIn(value: Odd, above: string): Generator<Place> {
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) {
      const name = `${above}/${at}`;
      yield {
        name,
        value: item,
        set: (other) => value.splice(at, 1, other),
        remove: () => value.splice(at, 1),
        add: (other) => value.splice(at, 0, other),
      };
      yield* placesIn(item, name);
    }
  } else if (value instanceof OddDict) {
    for (const entry of value.entries) {
      const name = `${above}/${entry[0].length > 30 ? 'KEY' : entry[0]}`;
      yield {
        name,
        value: entry[1],
        set: (other) => {
          entry[1] = other;
        },
        remove: () => value.entries.splice(value.entries.indexOf(entry), 1),
        add: (other, key) => value.set(key, other),
      };
      yield* placesIn(entry[1], name);
    }
  }
}

const KEYS = [
  ...['attr', 'length', 'path', 'path.utf-8', 'symlink path', 'pieces root', 'md5sum', 'sha1'],
  ...['name', 'name.utf-8', 'files', 'file tree', 'meta version', 'piece length', 'pieces'],
  ...['private', 'similar', 'collections', 'root hash', 'ssl-cert', 'source', '', 'zz'],
  ...['announce', 'announce-list', 'url-list', 'httpseeds', 'nodes', 'comment', 'creation date'],
  ...['comment.utf-8', 'created by.utf-8', 'info', 'piece layers', 'publisher', 'mtime'],
];

const NUMBERS = [
  ...[0, 1, -1, 2, 3, 5, 10, 20, 100, 8192, 16383, 16384, 16385, 24576, 32768, 65536, 1_000_000],
  ...[
    2 ** 28,
    2 ** 29,
    32767 * 16384,
    32767 * 16384 + 1,
    2 ** 30 - 1,
    2 ** 30,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
  ],
  ...[2 ** 44 - 32768, 2 ** 44 - 16384, 2 ** 44, 2 ** 48 - 1, 2 ** 48, 2 ** 53],
  ...[2n ** 62n, 2n ** 63n - 1n, 10n ** 20n, -16384, -(2n ** 62n)],
];

const RAW = [
  'i007e',
  'i-0e',
  'i00e',
  'i-05e',
  'ie',
  'i-e',
  'i+1e',
  'i 1e',
  '01:a',
  '1',
  'le',
  'de',
];

const ATTRIBUTES = ['p', 'x', 'h', 'l', 'lp', 'P', 'xp', ''];

/** Makes one random change and tells which. */
export function spoil(torrent: OddDict, random: SeededRandom, choose: Choose): string {
  const places = [...placesIn(torrent, '')];
  if (places.length === 0) return 'nothing';
  const place = choose(places);
  const kind = choose(KINDS);
  return `${kind.name} ${place.name} ${kind.change(place, random, choose)}`;
}

interface Kind {
  readonly name: string;
  change(place: Place, random: SeededRandom, choose: Choose): string;
}

/** A value of any type. */
function anything(choose: Choose): Odd {
  return choose<() => Odd>([
    () => choose(NUMBERS),
    () => choose(NUMBERS),
    () => choose(ODD_NAMES),
    () => choose(LINKS),
    () => choose(ATTRIBUTES),
    () => choose(ATTRIBUTES),
    () => [],
    () => [choose([...ODD_NAMES, ...NAMES])],
    () => [choose(NAMES), choose(ODD_NAMES)],
    () => [[choose(LINKS)]],
    () => new OddDict(),
    () => OddDict.of({ '': OddDict.of({ length: choose(NUMBERS) }) }),
    () => new Raw(choose(RAW)),
    () => 'r'.repeat(choose([20, 31, 32, 33, 40, 64])),
    () => '\0'.repeat(32),
    () => nested(choose([10, 90, 97, 98, 99, 100, 101])),
  ])();
}

function nested(depth: number): Odd {
  return depth === 0 ? [] : [nested(depth - 1)];
}

function told(value: Odd): string {
  return JSON.stringify(textOf(value).slice(0, 80));
}

const KINDS: readonly Kind[] = [
  {
    name: 'remove',
    change(place) {
      place.remove();
      return '';
    },
  },
  {
    name: 'replace',
    change(place, _random, choose) {
      const value = anything(choose);
      place.set(value);
      return told(value);
    },
  },
  {
    name: 'adjust',
    change(place, _random, choose) {
      const value = adjusted(place.value, choose);
      place.set(value);
      return told(value);
    },
  },
  {
    name: 'adjust',
    change(place, _random, choose) {
      const value = adjusted(place.value, choose);
      place.set(value);
      return told(value);
    },
  },
  {
    name: 'add',
    change(place, _random, choose) {
      const [key, value] = [choose(KEYS), anything(choose)];
      place.add(value, key);
      return `${key} ${told(value)}`;
    },
  },
  {
    name: 'copy',
    change(place, _random, choose) {
      const key = choose(KEYS);
      place.add(place.value, key);
      return key;
    },
  },
  {
    name: 'shuffle',
    change(place, random) {
      const items = itemsOf(place.value);
      if (items.length === 0) return '';
      const at = Math.floor(random.next() * items.length);
      const to = Math.floor(random.next() * items.length);
      items.splice(to, 0, ...items.splice(at, 1));
      return `${at} ${to}`;
    },
  },
  {
    name: 'twice',
    change(place, random, choose) {
      const { value } = place;
      const at = Math.floor(random.next() * itemsOf(value).length);
      // Of a piece layer that is there twice we look at the first only.
      if (place.name.endsWith('piece layers')) return '';
      if (value instanceof OddDict) {
        const entry = value.entries[at];
        if (entry !== undefined) value.entries.splice(at, 0, [entry[0], anything(choose)]);
      } else if (Array.isArray(value) && value[at] !== undefined) {
        value.splice(at, 0, value[at]);
      }
      return `${at}`;
    },
  },
];

/** The entries of a dictionary or the items of a list, to be moved. */
function itemsOf(value: Odd): unknown[] {
  if (value instanceof OddDict) return value.entries;
  return Array.isArray(value) ? value : [];
}

function adjusted(value: Odd, choose: Choose): Odd {
  if (typeof value === 'number') {
    const changed = choose([value - 1, value + 1, value * 2, Math.floor(value / 2), -value]);
    return choose([changed, choose(NUMBERS)]);
  }
  if (value instanceof Uint8Array) return adjusted(Buffer.from(value).toString('latin1'), choose);
  if (typeof value !== 'string') return choose(NUMBERS);
  const word = choose(ODD_NAMES);
  // What is left of broken UTF-8 with more behind it we read otherwise, to keep more of the name.
  if (/[\x80-\xff]/.test(value + word)) return word;
  return choose([
    value + word,
    word + value,
    value.slice(1),
    value.slice(0, -1),
    word,
    `${value}x`,
  ]);
}
