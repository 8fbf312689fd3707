/** Sessions over a real transfer thread. */
import type { TestContext } from 'node:test';
import { DataFolder } from '../../data-folder.ts';
import { Transfer } from '../../transfer/index.ts';
import { Session, type SessionNews, type SessionOptions } from '../index.ts';

/** A session, the port of its peers, and what it hears. */
export interface RunningSession {
  readonly session: Session;
  readonly port: number;
  /** The first news of this kind, past or future. */
  until(kind: SessionNews['kind']): Promise<SessionNews>;
}

/** A session over a real transfer thread; both end with the test. */
export async function openReal(
  t: TestContext,
  home: string,
  options: Partial<SessionOptions> = {},
): Promise<RunningSession> {
  const told: SessionNews[] = [];
  let wake = (): void => {};
  let port = 0;
  const session = await Session.open({
    data: new DataFolder(home),
    start: async (listener) => {
      const net = { listenPort: 0, bindHost: '127.0.0.1', resumeDir: null };
      const limits = { uploadLimit: Infinity, downloadLimit: Infinity };
      const market = { exchange: null, moneyPort: null };
      const transfer = await Transfer.start({ ...net, ...limits, ...market }, listener);
      port = transfer.port;
      return transfer;
    },
    onNews: (_torrent, news) => {
      told.push(news);
      wake();
    },
    onTrouble: (failure) => {
      throw failure;
    },
    ...options,
  });
  t.after(() => session.close().catch(() => {}));
  const until = async (kind: SessionNews['kind']): Promise<SessionNews> => {
    for (;;) {
      const found = told.find((news) => news.kind === kind);
      if (found) return found;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { session, port, until };
}
