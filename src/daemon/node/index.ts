/** A whole node: its transfer threads, and the money service beside them when it trades. */

export type { EncryptionPolicy } from '../../engine/index.ts';
export type { Allocation } from '../../platform/disk/index.ts';
export {
  addressOfBind,
  describeProxy,
  type EgressOptions,
  parseProxyUrl,
} from '../../platform/egress/index.ts';
export type { PinholeReach, Reach } from '../nat/index.ts';
export type { MarketOptions, Turnover } from './node-market.ts';
export {
  defaultShards,
  type NodeListener,
  type NodeOptions,
  startNode,
  TorrentNode,
} from './torrent-node.ts';
