/** Torrent files: described, made, and held against what is on disk. Start with `describe.ts`. */
export { describeTorrent, type TorrentDescription } from './describe.ts';
export { makeTorrent } from './make-torrent.ts';
export { verifyTorrent } from './verify.ts';
