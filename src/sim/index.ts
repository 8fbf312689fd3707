/**
 * The simulator: real engines on a virtual clock and a virtual network, replayed from a seed.
 *
 * It runs the very code that production runs, and must never reach for the real clock, the network
 * or the disk. Start with `scenarios.ts`, then `world.ts`; what must hold at the end of every
 * scenario is in `invariants.ts`.
 *
 * @module
 */
export { SCENARIOS, type Scenario } from './scenarios.ts';
export { type SimulationReport, simulate } from './simulate.ts';
