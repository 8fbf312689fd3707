/** Reads option values; what cannot be read is a usage error in one line. */
import { InvalidArgumentError } from 'commander';
import { parseScheduleLine, type ScheduleLine } from '../daemon/policy/index.ts';
import {
  AppError,
  type Atto,
  type AttoPerMib,
  type Bytes,
  type BytesPerSecond,
  parseBtt,
  parseBttPerGib,
  parseRate,
  parseSize,
} from '../units/index.ts';

/** A host and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** A TCP or UDP port; 0 lets the system choose. */
export function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65535) return port;
  throw new InvalidArgumentError('Use a number from 0 (any free port) to 65535.');
}

/** `HOST:PORT`, with an IPv6 address in brackets; collects repeated options. */
export function readPeer(text: string, before: readonly HostPort[] = []): readonly HostPort[] {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port >= 1 && port <= 65535) return [...before, { host, port }];
  throw new InvalidArgumentError('Use HOST:PORT, like 192.0.2.1:6881 or [2001:db8::1]:6881.');
}

/** A rate in bytes a second. */
export function readRate(text: string): BytesPerSecond {
  return attempt(() => parseRate(text));
}

/** A number of peers: each is a connection, and systems have a thousand or a million of those. */
export const readPeerCount: (text: string) => number = wholeNumber(1, 999_999);

/** Reads whole numbers of a range. */
export function wholeNumber(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= lowest && number <= highest) return number;
    throw new InvalidArgumentError(`Use a number from ${lowest} to ${highest}.`);
  };
}

/** A size in bytes. */
export function readSize(text: string): Bytes {
  return attempt(() => parseSize(text));
}

/** A price in BTT per GiB. */
export function readPrice(text: string): AttoPerMib {
  return attempt(() => parseBttPerGib(text));
}

/** A seller's lowest price: fixed, or following demand. */
export type Ask =
  | { readonly kind: 'fixed'; readonly price: AttoPerMib }
  | {
      readonly kind: 'automatic';
      readonly start: AttoPerMib;
      readonly lowest: AttoPerMib;
      readonly highest: AttoPerMib;
    };

/** A price in BTT per GiB, or `auto`: begins at 1 BTT and follows demand. */
export function readAsk(text: string): Ask {
  if (text !== 'auto') return { kind: 'fixed', price: readPrice(text) };
  const [start, lowest, highest] = [readPrice('1'), readPrice('0.001'), readPrice('1000000')];
  return { kind: 'automatic', start, lowest, highest };
}

/** An amount in BTT. */
export function readBtt(text: string): Atto {
  return attempt(() => parseBtt(text));
}

/** A duration above zero. */
export function readSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds > 0 && seconds <= 1e9) return seconds;
  throw new InvalidArgumentError('Use a number of seconds above 0.');
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A duration such as `90s`, `30m`, `2h`, `1d12h`, in seconds above zero. */
export function readDuration(text: string): number {
  const parts = [...text.toLowerCase().matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
  const isAll = parts.map(([part]) => part).join('') === text.toLowerCase();
  const seconds = parts.reduce(
    (sum, [, n, unit]) => sum + Number(n) * (UNIT_SECONDS[unit ?? ''] ?? 0),
    0,
  );
  if (isAll && seconds > 0 && seconds <= 1e9) return seconds;
  throw new InvalidArgumentError('Use a duration like 90s, 30m, 2h or 1d12h.');
}

/** A share ratio above zero. */
export function readRatio(text: string): number {
  const ratio = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (ratio > 0) return ratio;
  throw new InvalidArgumentError('Use a number above 0, like 1 or 2.5.');
}

/** A line of a schedule; collects repeated options. */
export function readSchedule(
  text: string,
  before: readonly ScheduleLine[] = [],
): readonly ScheduleLine[] {
  return [...before, attempt(() => parseScheduleLine(text))];
}

/** Collects the values of an option that may be repeated. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function attempt<T>(parse: () => T): T {
  try {
    return parse();
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    throw new InvalidArgumentError(`${failure.message}.`);
  }
}
