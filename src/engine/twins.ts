/** Which of two connections between the same two peers is kept. */
import { type Instant, instant } from '../units/index.ts';
import type { Peer } from './peer.ts';
import type { Connection } from './ports.ts';

/** An established connection is not displaced by one that comes so much later, in milliseconds. */
const SAME_TIME_MS = 10_000;

/** A connection to a peer that has one already. */
export interface Twins {
  readonly connection: Connection;
  readonly twin: Peer;
  readonly localPeerId: Uint8Array;
  readonly now: Instant;
}

/**
 * Whether the new one is kept. Two peers that dial each other at the same time must not both
 * refuse: both ends keep the connection that the greater peer id opened.
 */
export function isBetterTwin({ connection, twin, localPeerId, now }: Twins): boolean {
  const isNew = now <= instant(twin.connectedAt + SAME_TIME_MS);
  const isOursGreater = compareBytes(localPeerId, twin.remotePeerId) > 0;
  return (
    isNew && twin.isOutbound !== connection.isOutbound && connection.isOutbound === isOursGreater
  );
}

/** Negative, zero or positive, as the first byte that differs says. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (const [at, byte] of a.entries()) if (byte !== b[at]) return byte - (b[at] ?? 0);
  return 0;
}
