/** What scenarios have in common: lines as at home, little memory, and peers that come and go. */
import { randomInt } from '../../units/index.ts';
import { Swarm, type SwarmOptions } from '../swarm.ts';
import type { SwarmNode } from '../swarm-node.ts';

/** How a scenario is run. */
export interface ScenarioTerms {
  readonly seed: number;
  /** Downloaders; in a few scenarios what their description says. */
  readonly peers: number;
}

/** Milliseconds. */
export const MINUTE_MS = 60_000;

/** Bytes of unfinished pieces an engine may hold. Small, so that the bound is met. */
export const SLAB_BYTES: number = 1024 * 1024;

/** A line as at home: a slow way out, some delay, some jitter. */
export const HOME = { latencyMs: 30, jitterMs: 20, bytesPerSecond: 2_000_000 } as const;

/** A swarm of engines that may hold `SLAB_BYTES` each, and tick half as often as the program. */
export function makeSwarm(options: SwarmOptions): Swarm {
  const engine = { slabBytes: SLAB_BYTES, ...options.node?.engine };
  const node = { ...options.node, tickMs: 100, engine };
  return new Swarm({ ...options, node });
}

/** For `durationMs` peers leave, one way or the other, and come back after some seconds. */
export function comeAndGo(swarm: Swarm, nodes: readonly SwarmNode[], durationMs: number): void {
  const { random, clock } = swarm;
  swarm.repeat(1_000, durationMs, () => {
    const node = nodes[randomInt(random, nodes.length)];
    if (!node?.isUp) return;
    if (random() < 0.5) node.stop();
    else node.crash();
    clock.after(1_000 + randomInt(random, 10_000), () => {
      if (swarm.isOver) return;
      node.start();
      swarm.announce(node, 20);
    });
  });
}
