/** The market inside the transfer thread: engine on one side, purse and book across a port. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadSecp256k1 } from '../../chain/index.ts';
import type { PeerExtension, UploadPolicy } from '../../engine/index.ts';
import { createExchange, type Exchange, type ExchangeSnapshot } from '../../exchange/index.ts';
import { assert } from '../../units/index.ts';
import { purseAndBookOver } from '../money/bridge.ts';
import { marketLine } from './market-line.ts';
import type { TorrentNews, TransferOptions } from './messages.ts';

/** At the end, debts are given so long to be paid. */
const SETTLE_MS = 3_000;
const SETTLE_STEP_MS = 20;

/** What the market needs of the loop's torrents. */
export interface TorrentsOfLoop {
  /** How much is still to be downloaded; null while that is unknown. */
  remainingBytes(torrentKey: string): number | null;
  tell(torrentKey: string, news: TorrentNews): void;
}

/** What the loop needs of the market. */
export class LoopExchange {
  readonly #exchange: Exchange;

  constructor(options: TransferOptions, torrents: TorrentsOfLoop) {
    const { exchange: settings, moneyPort } = options;
    assert(settings && moneyPort, 'a market needs its settings and its money');
    const { purse, book } = purseAndBookOver(moneyPort);
    const { secp256k1 } = loadSecp256k1();
    this.#exchange = createExchange(
      {
        identity: {
          chainId: settings.chainId,
          escrow: settings.escrow,
          payee: settings.payee,
          bind: (digest) => secp256k1.sign(digest, settings.payeeKey),
        },
        purse: settings.buyer ? purse : null,
        book: settings.seller ? book : null,
        recover: (digest, signature) => secp256k1.recover(digest, signature),
        remainingBytes: (torrentKey) => torrents.remainingBytes(torrentKey),
        onEvent: (event) => {
          const line = marketLine(event);
          if (line !== null) torrents.tell(event.torrentKey, { kind: 'market', line });
        },
      },
      { seller: settings.seller, buyer: settings.buyer },
    );
  }

  get extension(): PeerExtension {
    return this.#exchange.extension;
  }

  get policy(): UploadPolicy {
    return this.#exchange.policy;
  }

  snapshot(): ExchangeSnapshot {
    return this.#exchange.snapshot();
  }

  /** Pays what we owe, within a few seconds: the engine must still be ticking. */
  async settle(): Promise<void> {
    const deadline = performance.now() + SETTLE_MS;
    while (!this.#exchange.settle() && performance.now() < deadline) await sleep(SETTLE_STEP_MS);
  }
}
