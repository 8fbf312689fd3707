/** The transfer threads: torrents moved off the main thread. Start with `transfer-pool.ts`. */
export type {
  OutsidePlace,
  TorrentNews,
  TorrentSpec,
  TransferOptions,
  TransferRates,
  TransferSnapshot,
} from './messages.ts';
export { RemoteFailure } from './remote-failure.ts';
export { Transfer, type TransferListener } from './transfer.ts';
export { TransferPool } from './transfer-pool.ts';
