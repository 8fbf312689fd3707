/** The node's DHT, shared by its transfer threads. Start with `node-dht.ts`. */
export type { DhtAnswer, DhtWish } from './messages.ts';
export { type DhtChoice, NodeDht } from './node-dht.ts';
