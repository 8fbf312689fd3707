/**
 * Every byte format of the network: bencode, torrents, magnet links, peer messages, trackers.
 *
 * Pure functions between bytes and values. It must never learn what is done with them: no
 * sockets, no clock, no swarm, no money but the form of the `bw_pay` messages. Whatever a stranger
 * sends either decodes or throws `WireError`. Start with `bencode/decode.ts`, then
 * `metainfo/metainfo.ts` for the nouns of a torrent and `peer/` for the messages.
 *
 * @module
 */
export * from './bencode/index.ts';
export * from './bw-pay/index.ts';
export * from './dht/index.ts';
export * from './extended/index.ts';
export * from './magnet/index.ts';
export * from './metainfo/index.ts';
export * from './mse/index.ts';
export * from './nat/index.ts';
export * from './peer/index.ts';
export * from './socks/index.ts';
export * from './tracker/index.ts';
export * from './utp/index.ts';
export { WireError, type WireErrorCode } from './wire-error.ts';
