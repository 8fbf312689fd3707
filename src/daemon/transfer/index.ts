/** The transfer thread: torrents downloaded and seeded off the main thread. Start with `transfer.ts`. */
export type {
  TorrentNews,
  TorrentSpec,
  TransferOptions,
  TransferSnapshot,
} from './messages.ts';
export { RemoteFailure } from './remote-failure.ts';
export { Transfer, type TransferListener } from './transfer.ts';
