/** Torrent files: described, made, and held against what is on disk. Start with `describe.ts`. */
export { describeTorrent, type TorrentDescription } from './describe.ts';
export type { HashingOptions } from './hash-space.ts';
export { type MadeTorrent, type MakeRequest, makeTorrent } from './make-torrent.ts';
export { type Verification, type VerifyOptions, verifyTorrent } from './verify.ts';
