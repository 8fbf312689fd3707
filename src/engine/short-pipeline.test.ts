import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK_BYTES, instant } from '../units/index.ts';
import { ShortPipeline } from './short-pipeline.ts';

/** A link as the pipeline sees it: every block waits for those before it, then travels. */
interface Link {
  readonly pipeline: ShortPipeline;
  readonly bytesPerSecond: number;
  /** Without a queue: to the peer and back. */
  roundTripMs: number;
  now: number;
  /** When the peer's end of the link has sent all that was asked for. */
  freeAt: number;
  nextKey: number;
  /** Blocks on their way: key and arrival. */
  readonly flying: [number, number][];
}

function linkOf(bytesPerSecond: number, roundTripMs: number): Link {
  const state = { now: 0, freeAt: 0, nextKey: 0, flying: [] as [number, number][] };
  return { pipeline: new ShortPipeline(), bytesPerSecond, roundTripMs, ...state };
}

/** Lets time pass; the blocks that came, and how long they stood in the queue on average. */
function run(link: Link, durationMs: number): { blocks: number; queueMs: number } {
  const { pipeline, flying } = link;
  const clock = (): ReturnType<typeof instant> => instant(link.now);
  const blockMs = (BLOCK_BYTES * 1000) / link.bytesPerSecond;
  const end = link.now + durationMs;
  let [asked, blocks, queuedMs] = [0, 0, 0];
  while (link.now < end) {
    while (flying.length < pipeline.depth) {
      const atPeer = link.now + link.roundTripMs / 2;
      const start = Math.max(atPeer, link.freeAt);
      queuedMs += start - atPeer;
      asked++;
      link.freeAt = start + blockMs;
      flying.push([link.nextKey, link.freeAt + link.roundTripMs / 2]);
      pipeline.onAsked(link.nextKey++, flying.length, clock);
    }
    const [key, arrival] = flying.shift() ?? [0, 0];
    link.now = Math.max(link.now, arrival);
    pipeline.onAnswered(key, { isInUse: true, clock });
    blocks++;
  }
  return { blocks, queueMs: queuedMs / asked };
}

/** Share of the link's rate that was used. */
function useOf(link: Link, blocks: number, durationMs: number): number {
  return (blocks * BLOCK_BYTES * 1000) / link.bytesPerSecond / durationMs;
}

for (const [megabits, roundTripMs] of [
  [20, 100],
  [100, 20],
  [4, 300],
  [200, 150],
] as const) {
  test(`${megabits} Mbit/s over ${roundTripMs} ms: the link is full and hardly more`, () => {
    const link = linkOf((megabits * 1e6) / 8, roundTripMs);
    run(link, 4_000);
    const { blocks, queueMs } = run(link, 20_000);
    assert.ok(useOf(link, blocks, 20_000) > 0.95, `${useOf(link, blocks, 20_000)}`);
    const blockMs = (BLOCK_BYTES * 8) / 1000 / megabits;
    assert.ok(queueMs < 15 + 2 * blockMs, `${queueMs} ms`);
  });
}

test('slow first answers are forgotten within seconds', () => {
  const link = linkOf(2_500_000, 100);
  link.freeAt = 800;
  run(link, 6_000);
  assert.ok(run(link, 4_000).queueMs < 20);
});

test('when the way gets longer, the link is full again within half a minute', () => {
  const link = linkOf(2_500_000, 50);
  run(link, 20_000);
  link.roundTripMs = 250;
  run(link, 30_000);
  const { blocks } = run(link, 20_000);
  assert.ok(useOf(link, blocks, 20_000) > 0.9, `${useOf(link, blocks, 20_000)}`);
});

test('a block that never comes is not waited for', () => {
  const pipeline = new ShortPipeline();
  const at = (now: number) => () => instant(now);
  pipeline.onAsked(7, 16, at(0));
  pipeline.onGone(7);
  pipeline.onAsked(8, 16, at(50));
  pipeline.onAnswered(8, { isInUse: true, clock: at(60) });
  assert.equal(pipeline.depth, 24);
});
