/** A player's patience, on a virtual clock: the figures are exact. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode } from '../sim/index.ts';
import { instant } from '../units/index.ts';

const BYTES_PER_SECOND = 20e6 / 8;
const ROUND_TRIP_MS = 100;
const PIECE = 256 * 1024;
const PIECE_MS = (PIECE * 1000) / BYTES_PER_SECOND;
const TOTAL = 16 * 2 ** 20;
/** What a reader asks for beyond the piece it needs. */
const AHEAD = 16;

for (const seed of [1, 2, 3]) {
  test(`a seek over 20 Mbit/s takes 1.5 round trips and one piece's time (seed ${seed})`, () => {
    const { swarm, leecher } = stage(seed);
    leecher.torrent.isSequential = true;
    swarm.clock.run(2_000);
    const before = leecher.torrent.received.total;
    for (const piece of [40, 55, 20]) {
      const tookMs = seek(swarm, leecher, piece);
      assert.ok(tookMs < 1.5 * ROUND_TRIP_MS + PIECE_MS, `piece ${piece}: ${tookMs} ms`);
      swarm.clock.run(500);
    }
    assert.ok(leecher.torrent.received.total - before > 1.6 * BYTES_PER_SECOND, 'no slower for it');
  });

  test(`what stands in the way of the first piece to be played is cancelled (seed ${seed})`, () => {
    const { swarm, leecher } = stage(seed);
    swarm.clock.run(4_000);
    const [peer] = leecher.torrent.snapshot().peers;
    assert.ok((peer?.requestsOut ?? 0) > 200, 'pipelines are deep without a reader');
    const missing = Array.from({ length: swarm.pieceCount }, (_, piece) => piece).filter(
      (piece) =>
        !leecher.torrent.work?.picker.partials.has(piece) && !leecher.pieces.includes(piece),
    );
    const tookMs = seek(swarm, leecher, missing[0] ?? 0);
    // It was two seconds. Half a second's data is in the seed's socket and cannot be taken back.
    assert.ok(tookMs < 1_250, `${tookMs} ms`);
    assert.ok(swarm.runUntilComplete([leecher], 30_000), swarm.describe());
  });
}

function stage(seed: number): { readonly swarm: Swarm; readonly leecher: SwarmNode } {
  const path = { latencyMs: ROUND_TRIP_MS / 2, bytesPerSecond: BYTES_PER_SECOND };
  const swarm = new Swarm({ seed, pieceLengthBytes: PIECE, totalBytes: TOTAL, path });
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none', deps: { clock: () => swarm.clock.now } });
  swarm.introduce();
  return { swarm, leecher };
}

/** Somebody waits for `piece` from now on, and will read on; how long it takes. */
function seek(swarm: Swarm, leecher: SwarmNode, piece: number): number {
  const { now } = swarm.clock;
  assert.ok(!leecher.pieces.includes(piece), `${piece} is not here yet`);
  const count = Math.min(AHEAD, swarm.pieceCount - piece);
  const ahead = Array.from({ length: count }, (_, nth) => ({
    piece: piece + nth,
    at: instant(now + 250 * nth),
  }));
  leecher.torrent.setDeadlines(ahead);
  assert.ok(swarm.clock.run(10_000, () => leecher.pieces.includes(piece)));
  return swarm.clock.now - now;
}
