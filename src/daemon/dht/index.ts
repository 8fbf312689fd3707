/** The node's DHT, shared by its transfer threads. Start with `node-dht.ts`; items: `items.ts`. */
export { ed25519PublicKey } from '../../platform/dht/index.ts';
export { openItemKey } from '../../platform/keystore/index.ts';
export { describeItem, type ItemDescription } from './describe-item.ts';
export {
  type ItemDht,
  type ItemName,
  type ItemSigner,
  type PutItem,
  putItem,
  readItemName,
  readSalt,
} from './items.ts';
export type { DhtAnswer, DhtWish } from './messages.ts';
export { MutableTorrent, type TorrentVersion } from './mutable-torrent.ts';
export { type DhtChoice, type DhtPlace, joinDht, NodeDht } from './node-dht.ts';
export { pointerTo } from './publish.ts';
