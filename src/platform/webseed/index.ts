/**
 * Web seeds (BEP 19): web servers that have a torrent's files.
 *
 * To the engine a web seed is a peer whose address is a URL and who has everything. `web-seeds.ts`
 * is the way in; `web-seed-connection.ts` is the disguise, `range-client.ts` speaks HTTP and is
 * loaded with the first web seed.
 *
 * @module
 */
export { WebSeedError, type WebSeedErrorCode } from './web-seed-error.ts';
export { type WebSeededTorrent, type WebSeedOptions, WebSeeds } from './web-seeds.ts';
