/**
 * Scenarios: what a swarm can go through, and what must be true of it then.
 *
 * Start with `swarms.ts`; what must hold at the end of every scenario is in `invariants.ts`.
 *
 * @module
 */
export { type SimulationReport, simulate } from './simulate.ts';
export { SCENARIOS, type Scenario } from './swarms.ts';
