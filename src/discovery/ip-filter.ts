/**
 * Lists of addresses not to talk to, in the forms users have them: eMule `.dat`, PeerGuardian
 * `.p2p`, and plain CIDR or single addresses. Ranges are merged and searched by halving.
 */
import { toHex } from '../units/index.ts';
import { parseIp, unmapIp } from '../wire/index.ts';

/** An inclusive range of addresses of one family, as sortable text of equal length. */
interface Range {
  readonly first: string;
  readonly last: string;
}

/** What a list said. */
export interface ParsedIpList {
  readonly filter: IpFilter;
  /** Lines that were neither a range nor a comment, counted from 1; the first ten. */
  readonly badLines: readonly number[];
}

/** eMule's access level: from here on an entry allows. */
const EMULE_ALLOWED_FROM = 128;

const BAD_LINES_MAX = 10;

/** A set of ranges. Immutable: a list that is read again gives another filter. */
export class IpFilter {
  /** By length of the text: 8 for IPv4, 32 for IPv6. Sorted, without overlaps. */
  readonly #ranges: ReadonlyMap<number, readonly Range[]>;

  constructor(ranges: readonly Range[]) {
    const families = [8, 32].map((length) => {
      const family = ranges.filter(({ first }) => first.length === length);
      return [length, merged(family)] as const;
    });
    this.#ranges = new Map(families);
  }

  /** How many ranges there are after merging. */
  get size(): number {
    return [...this.#ranges.values()].reduce((sum, family) => sum + family.length, 0);
  }

  /** Whether a literal address lies in a range. IPv4 in IPv6 is judged as IPv4; names never do. */
  isBlocked(host: string): boolean {
    const address = sortable(host);
    if (address === null) return false;
    const family = this.#ranges.get(address.length) ?? [];
    let low = 0;
    let high = family.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((family[middle]?.first ?? '') <= address) low = middle + 1;
      else high = middle;
    }
    return address <= (family[low - 1]?.last ?? '');
  }
}

/** Reads a list. Forms may be mixed; a line that cannot be read is counted and passed over. */
export function parseIpList(text: string): ParsedIpList {
  const ranges: Range[] = [];
  const badLines: number[] = [];
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith('//')) continue;
    const range = parseLine(line);
    if (range === null && badLines.length < BAD_LINES_MAX) badLines.push(at + 1);
    if (range) ranges.push(...range);
  }
  return { filter: new IpFilter(ranges), badLines };
}

/** The ranges a line blocks, none for one that allows; null when it cannot be read. */
function parseLine(line: string): readonly Range[] | null {
  const emule = /^(\S+)\s*-\s*(\S+)\s*,\s*(\d+)\s*(,|$)/.exec(line);
  if (emule) {
    const range = rangeOf(emule[1] ?? '', emule[2] ?? '');
    return range && Number(emule[3]) >= EMULE_ALLOWED_FROM ? [] : range;
  }
  const single = parseCidr(line);
  if (single) return single;
  // PeerGuardian: a name, which may hold colons, and a range of IPv4 behind the last one.
  const pair =
    /(?:^|:)\s*([0-9.]+)\s*-\s*([0-9.]+)$/.exec(line) ?? /^(\S+)\s*-\s*(\S+)$/.exec(line);
  return pair && rangeOf(pair[1] ?? '', pair[2] ?? '');
}

function parseCidr(text: string): readonly Range[] | null {
  const [, host = '', bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const address = parseIp(withoutZeros(host));
  if (!address) return null;
  const prefix = bits === undefined ? address.length * 8 : Number(bits);
  if (prefix > address.length * 8) return null;
  const first = address.map((byte, at) => byte & maskOf(prefix, at));
  const last = address.map((byte, at) => byte | (~maskOf(prefix, at) & 0xff));
  return [{ first: toHex(first), last: toHex(last) }];
}

function rangeOf(first: string, last: string): readonly Range[] | null {
  const [from, to] = [sortable(first), sortable(last)];
  return from !== null && to !== null && from.length === to.length && from <= to
    ? [{ first: from, last: to }]
    : null;
}

/** The mask's byte at `at` for a prefix of so many bits. */
function maskOf(prefix: number, at: number): number {
  const bits = Math.min(8, Math.max(0, prefix - at * 8));
  return (0xff << (8 - bits)) & 0xff;
}

function sortable(host: string): string | null {
  const address = parseIp(withoutZeros(host));
  return address && toHex(unmapIp(address));
}

/** eMule fills the parts of IPv4 addresses with zeros. */
function withoutZeros(host: string): string {
  return host.includes(':') ? host : host.replace(/\b0+(?=\d)/g, '');
}

/** Sorted, and joined where they overlap. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const joined: Range[] = [];
  for (const range of sorted) {
    const before = joined.at(-1);
    if (!before || range.first > before.last) joined.push(range);
    else if (range.last > before.last) joined[joined.length - 1] = { ...before, last: range.last };
  }
  return joined;
}
