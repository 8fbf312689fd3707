/** A whole node: the transfer thread, and the money service beside it when it trades. */

export type { EncryptionPolicy } from '../../engine/index.ts';
export type { MarketOptions, Turnover } from './node-market.ts';
export { type NodeOptions, startNode, TorrentNode } from './torrent-node.ts';
