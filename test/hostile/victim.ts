/** A transfer thread in a process of its own, so that its memory can be measured under attack. */

import { type TorrentNews, Transfer } from '../../src/daemon/transfer/index.ts';
import { assert } from '../../src/units/index.ts';

/** A torrent to work on. */
export type TorrentSpec = Parameters<Transfer['add']>[0];

/** What the test asks of the victim. */
export type VictimCall =
  | { readonly ask: 'add'; readonly spec: TorrentSpec }
  | { readonly ask: 'memory' };

/** What the victim answers. */
export type VictimAnswer =
  | { readonly answer: 'ready'; readonly port: number }
  | { readonly answer: 'news'; readonly news: TorrentNews }
  | { readonly answer: 'memory'; readonly rssBytes: number; readonly peers: number };

const tell = (answer: VictimAnswer): void => {
  assert(process.send, 'the victim is started with a channel to the test');
  process.send(answer);
};

const transfer = await Transfer.start(
  {
    listenPort: 0,
    bindHost: '127.0.0.1',
    uploadLimit: Infinity,
    downloadLimit: Infinity,
    resumeDir: null,
    exchange: null,
    moneyPort: null,
  },
  {
    onNews: (_torrent, news) => tell({ answer: 'news', news }),
    onCrash: (failure) => {
      throw failure;
    },
  },
);

process.on('message', (call: VictimCall) => {
  if (call.ask === 'add') void transfer.add(call.spec);
  else {
    void transfer.snapshot().then(({ torrents }) => {
      const peers = torrents.reduce((sum, torrent) => sum + torrent.peers.length, 0);
      tell({ answer: 'memory', rssBytes: process.memoryUsage.rss(), peers });
    });
  }
});
process.on('disconnect', () => process.exit());
tell({ answer: 'ready', port: transfer.port });
