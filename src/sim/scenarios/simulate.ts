/** Runs a scenario and says what was wrong. */
import { findFaults } from './invariants.ts';
import { SCENARIOS } from './swarms.ts';

/** How a run ended. */
export interface SimulationReport {
  readonly scenario: string;
  readonly seed: number;
  /** Everything that was not as it must be, for people to read; empty when all is well. */
  readonly faults: readonly string[];
  /** Sixteen hex digits: equal for two runs in which the same happened. */
  readonly digest: string;
  /** Network events that make up the digest. */
  readonly eventCount: number;
  /** Virtual time that passed. */
  readonly durationMs: number;
}

/** Runs the scenario of that name from `seed`; null when there is none. */
export function simulate(scenario: string, seed: number): SimulationReport | null {
  const run = SCENARIOS.get(scenario);
  if (!run) return null;
  const swarm = run(seed);
  const durationMs = swarm.clock.now;
  const faults = findFaults(swarm);
  const { digest, eventCount } = swarm.network.trace;
  return { scenario, seed, faults, digest, eventCount, durationMs };
}
