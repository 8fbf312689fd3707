/**
 * Our node with one torrent and room for thousands of peers, as the benchmark runs it.
 *
 *   node-work.ts TORRENT ROOT [--up BYTES] [--down BYTES]
 *
 * Prints {"event":"listening","port":P}, and each second what it moved. Ends on SIGTERM.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Transfer } from '../../src/daemon/transfer/index.ts';

/** How often a user interface would look. */
const LOOK_MS = 1_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { up: { type: 'string' }, down: { type: 'string' } },
});
const [torrentPath = '', root = ''] = positionals;
let onStarted = (): void => {};
const started = new Promise<void>((resolve) => {
  onStarted = resolve;
});
const transfer = await Transfer.start(
  {
    ...{ listenPort: 0, bindHost: '127.0.0.1', resumeDir: null },
    ...{
      uploadLimit: Number(values.up ?? Infinity),
      downloadLimit: Number(values.down ?? Infinity),
    },
    ...{ connectionsMax: 3_000, peersPerTorrentMax: 3_000 },
    ...{ exchange: null, moneyPort: null },
  },
  {
    onNews: (_torrent, news) => {
      if (news.kind === 'started') onStarted();
      if (news.kind === 'failed') throw new Error(news.line);
    },
    onCrash: (failure) => {
      throw failure;
    },
  },
);
await transfer.add({
  source: { kind: 'metainfo', bytes: new Uint8Array(readFileSync(torrentPath)) },
  ...{ root, peers: [], useTrackers: false, mustBeComplete: false },
});
await started;
console.log(JSON.stringify({ event: 'listening', port: transfer.port }));
setInterval(async () => {
  const [torrent] = (await transfer.snapshot()).torrents;
  if (!torrent) return;
  const { receivedBytes, sentBytes, peers, phase } = torrent;
  const facts = { receivedBytes, sentBytes, peers: peers.length, phase };
  console.log(JSON.stringify({ event: 'moved', ...facts }));
}, LOOK_MS);
process.once('SIGTERM', () => process.exit(0));
