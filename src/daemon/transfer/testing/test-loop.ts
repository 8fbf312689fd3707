/** A transfer loop on loopback that ends with its test. */
import type { TestContext } from 'node:test';
import type { TorrentNews, TransferOptions } from '../messages.ts';
import { TransferLoop } from '../transfer-loop.ts';

/** A loop, and what it told. */
export interface TestLoop {
  readonly loop: TransferLoop;
  /** The next news of this kind, whichever torrent it is about. */
  until(kind: TorrentNews['kind']): Promise<TorrentNews>;
}

/** Starts one without limits, money or resume records but those it is given. */
export async function startLoop(
  t: TestContext,
  rest: Partial<TransferOptions> = {},
): Promise<TestLoop> {
  const told: TorrentNews[] = [];
  let wake = (): void => {};
  const options = {
    ...{ listenPort: 0, bindHost: '127.0.0.1', uploadLimit: Infinity, downloadLimit: Infinity },
    ...{ resumeDir: null, exchange: null, moneyPort: null },
    ...rest,
  };
  const loop = await TransferLoop.start(options, (_key, news) => {
    told.push(news);
    wake();
  });
  t.after(() => loop.stop());
  const until = async (kind: TorrentNews['kind']): Promise<TorrentNews> => {
    for (;;) {
      const at = told.findIndex((news) => news.kind === kind);
      const [next] = at < 0 ? [] : told.splice(at, 1);
      if (next) return next;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { loop, until };
}
