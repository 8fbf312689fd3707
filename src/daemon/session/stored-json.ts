/** Lists that the session keeps as JSON, checked when they are read back. */
import type { PeerAddress } from '../../engine/index.ts';
import { DatabaseError } from '../../platform/database/index.ts';

/** Ports end here. */
const PORT_MAX = 65_535;
/** The highest priority of a file. */
const PRIORITY_MAX = 7;

/** Tiers of announce URLs. Throws DATABASE_CORRUPT for anything else. */
export function readTiers(text: string): string[][] {
  const isTier = (tier: unknown): tier is string[] =>
    Array.isArray(tier) && tier.every((url) => typeof url === 'string');
  return read(text, (value): value is string[][] => Array.isArray(value) && value.every(isTier));
}

/** Peers named by the user. Throws DATABASE_CORRUPT for anything else. */
export function readPeers(text: string): PeerAddress[] {
  return read(text, (value): value is PeerAddress[] => Array.isArray(value) && value.every(isPeer));
}

/** A priority for each file; null is null. Throws DATABASE_CORRUPT for anything else. */
export function readPriorities(text: string | null): number[] | null {
  if (text === null) return null;
  const isPriority = (value: unknown): boolean => isWhole(value, PRIORITY_MAX);
  return read(text, (value): value is number[] => Array.isArray(value) && value.every(isPriority));
}

function isPeer(value: unknown): value is PeerAddress {
  if (typeof value !== 'object' || value === null) return false;
  const { host, port } = value as Partial<PeerAddress>;
  return typeof host === 'string' && isWhole(port, PORT_MAX);
}

function isWhole(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

function read<T>(text: string, isRight: (value: unknown) => value is T): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Judged below: no JSON is `undefined`.
  }
  if (isRight(value)) return value;
  const line =
    'the session file is damaged; restore a copy, or remove it and add the torrents again';
  throw new DatabaseError('DATABASE_CORRUPT', line);
}
