/**
 * Scenarios: what a swarm can go through, and what must be true of it then.
 *
 * Start with `table.ts`; what must hold at the end of every scenario is in `invariants.ts`.
 *
 * @module
 */
export { type PeerOutcome, type SimulationReport, simulate } from './simulate.ts';
export { SCENARIOS, type Scenario } from './table.ts';
