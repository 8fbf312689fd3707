/** Runs a scenario and says what came of it. */
import type { SwarmNode } from '../swarm-node.ts';
import { findFaults } from './invariants.ts';
import { SCENARIOS } from './table.ts';

/** How it went for one client. */
export interface PeerOutcome {
  readonly host: string;
  /** It does what it should; others corrupt what they send. */
  readonly isHonest: boolean;
  /** It had everything from the beginning. */
  readonly isSeed: boolean;
  /** From when it came until it had everything; null when that never was. */
  readonly completeMs: number | null;
  /** Payload, what came twice or was spoiled counted. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

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
  readonly totalBytes: number;
  readonly peers: readonly PeerOutcome[];
}

/** Runs the scenario of that name, with as many peers as is usual for it; null if there is none. */
export function simulate(name: string, seed: number, peers?: number): SimulationReport | null {
  const scenario = SCENARIOS.get(name);
  if (!scenario) return null;
  const swarm = scenario.run({ seed, peers: peers ?? scenario.peers });
  const durationMs = swarm.clock.now;
  const { totalBytes } = swarm.memory.content;
  const outcomes = swarm.nodes.map(outcomeOf);
  const faults = findFaults(swarm);
  const { digest, eventCount } = swarm.network.trace;
  const summary = { digest, eventCount, durationMs, totalBytes };
  return { scenario: name, seed, faults, ...summary, peers: outcomes };
}

function outcomeOf(node: SwarmNode): PeerOutcome {
  const { host, isHonest, isSeed, completeAt, addedAt, receivedBytes, sentBytes } = node;
  const completeMs = completeAt === null ? null : Math.round(completeAt - addedAt);
  return { host, isHonest, isSeed, completeMs, receivedBytes, sentBytes };
}
