/**
 * The simulator: real engines on a virtual clock and a virtual network, replayed from a seed.
 *
 * It runs the very code that production runs, and must never reach for the real clock, the network
 * or the disk. Tests of all layers use it, so what is entered here knows nothing of money. Start
 * with `swarm.ts` and `swarm-node.ts`; what swarms can go through is in `scenarios/`.
 *
 * @module
 */
export { type Datagram, DatagramNetwork, Line, type WayOptions } from './datagram-network.ts';
export { DhtNetwork, type DhtNode } from './dht-network.ts';
export type { MemoryStore } from './memory-store.ts';
export { type MemoryTorrent, makeMemoryTorrent, virtualHasher } from './memory-torrent.ts';
export { Swarm } from './swarm.ts';
export type { NodeOptions, SwarmNode } from './swarm-node.ts';
export { startUtp } from './utp-node.ts';
export { VirtualClock } from './virtual-clock.ts';
export { beginTorrent, QUIET, SIM_PORT, startEngine } from './virtual-host.ts';
export { VirtualNetwork } from './virtual-network.ts';
export { DEAF, WirePeer, type WirePeerOptions } from './wire-peer.ts';
