/** Playing a torrent's files while they are downloaded. Start with `stream-server.ts`. */
export { chooseFile } from './choose-file.ts';
export type { PieceRange, PieceSource } from './piece-desk.ts';
export { StreamServer, type StreamServerOptions } from './stream-server.ts';
export {
  readStreamedTorrent,
  type StreamedFile,
  type StreamedTorrent,
  type StreamSource,
} from './streamed-torrent.ts';
