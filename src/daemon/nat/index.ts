/** A node's ports at the home router: asked for, told to who announces them, and taken back. */
export { NodeNat, type PinholeReach, type Reach } from './node-nat.ts';
