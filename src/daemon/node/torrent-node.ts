/** Starts what one node consists of, and stops it in the right order. */
import { AppError } from '../../units/index.ts';
import type { DataFolder } from '../data-folder.ts';
import { Transfer, type TransferListener, type TransferOptions } from '../transfer/index.ts';

/** How a node is set up. */
export interface NodeOptions {
  readonly data: DataFolder;
  /** Port for peers; 0 lets the system choose, null takes the usual one or any if it is taken. */
  readonly port: number | null;
  /** Address to listen on and dial from; null for all. */
  readonly bindHost: string | null;
  /** Bytes a second, `Infinity` for no limit. */
  readonly uploadLimit: number;
  readonly downloadLimit: number;
}

/** Where BitTorrent clients have always listened; routers may forward it already. */
const USUAL_PORT = 6881;

/** A running node. */
export class TorrentNode {
  readonly transfer: Transfer;

  constructor(transfer: Transfer) {
    this.transfer = transfer;
  }

  /** Tells the trackers, writes the resume records, ends the thread. */
  async stop(): Promise<void> {
    await this.transfer.stop();
  }
}

/** Starts a node; its port is open when this resolves. */
export async function startNode(
  options: NodeOptions,
  listener: TransferListener,
): Promise<TorrentNode> {
  const transferOptions = {
    bindHost: options.bindHost,
    uploadLimit: options.uploadLimit,
    downloadLimit: options.downloadLimit,
    resumeDir: options.data.resume,
    exchange: null,
    moneyPort: null,
  };
  return new TorrentNode(await startTransfer(options.port, transferOptions, listener));
}

async function startTransfer(
  port: number | null,
  options: Omit<TransferOptions, 'listenPort'>,
  listener: TransferListener,
): Promise<Transfer> {
  try {
    return await Transfer.start({ ...options, listenPort: port ?? USUAL_PORT }, listener);
  } catch (failure) {
    const isTaken = failure instanceof AppError && failure.code === 'PLATFORM_PORT_TAKEN';
    if (port !== null || !isTaken) throw failure;
    return Transfer.start({ ...options, listenPort: 0 }, listener);
  }
}
