/** Playing a torrent's files while they are downloaded. Start with `stream-server.ts`. */
export { isPlayable } from './content-type.ts';
export type { PieceRange, PieceSource } from './piece-desk.ts';
export { StreamServer, type StreamServerOptions } from './stream-server.ts';
export { type StreamedFile, type StreamedTorrent, streamedTorrent } from './streamed-torrent.ts';
