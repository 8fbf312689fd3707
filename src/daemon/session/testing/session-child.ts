/**
 * A node with a session, to be killed: `session-child.ts HOME [DOWNLOAD-LIMIT [WATCH-FOLDER]]`.
 * Takes commands as JSON lines on standard input, prints what happens as JSON lines.
 */
import { createInterface } from 'node:readline';
import { DataFolder } from '../../data-folder.ts';
import { Transfer } from '../../transfer/index.ts';
import { type AddRequest, Session } from '../index.ts';

const home = process.argv[2];
if (home === undefined) throw new Error('session-child.ts needs a folder');
const watched = process.argv[4];
const say = (facts: object): void => {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
};

let port = 0;
const session = await Session.open({
  data: new DataFolder(home),
  start: async (listener) => {
    const transfer = await Transfer.start(
      {
        listenPort: 0,
        bindHost: '127.0.0.1',
        uploadLimit: Infinity,
        downloadLimit: Number(process.argv[3] ?? Infinity),
        resumeDir: null,
        exchange: null,
        moneyPort: null,
      },
      listener,
    );
    port = transfer.port;
    return transfer;
  },
  onNews: (torrent, news) => {
    const isEmpty = news.kind === 'resume' && news.record === null;
    if (!isEmpty) say({ event: news.kind, torrent });
  },
  ...(watched ? { watch: [{ folder: watched, root: home, isPaused: true }] } : {}),
  onWatch: ({ kind, path }) => say({ event: `watch ${kind}`, path }),
  onTrouble: (failure) => {
    throw failure;
  },
});
say({ event: 'open', port, torrents: session.list() });

interface Command {
  readonly add?: { readonly torrent: string; readonly root: string; readonly peer: number | null };
  readonly relocate?: { readonly key: string; readonly to: string };
  readonly list?: true;
  readonly close?: true;
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  if (command.add) {
    const { torrent, root, peer } = command.add;
    const bytes = new Uint8Array(Buffer.from(torrent, 'base64'));
    const peers = peer === null ? [] : [{ host: '127.0.0.1', port: peer }];
    const request: AddRequest = { source: { kind: 'metainfo', bytes }, root, peers };
    say({ event: 'added', outcomes: await session.add([request]) });
  }
  if (command.relocate) {
    const { key, to } = command.relocate;
    await session.relocate([key], to);
    say({ event: 'relocated' });
  }
  if (command.list) say({ event: 'list', torrents: session.list() });
  if (command.close) break;
}
await session.close();
say({ event: 'closed' });
process.exit(0);
