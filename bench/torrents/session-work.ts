/**
 * Our node with many complete torrents, as the benchmark runs it.
 *
 *   session-work.ts fill HOME TORRENTS DATA   adds every torrent to a new session
 *   session-work.ts run HOME TORRENTS DATA [--idle SECONDS]
 *
 * `run` starts as a node does, waits, measures itself, adds one more torrent, and lets a peer ask
 * for one of the old ones. Prints one JSON line.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DataFolder } from '../../src/daemon/index.ts';
import { type AddRequest, Session } from '../../src/daemon/session/index.ts';
import { Transfer } from '../../src/daemon/transfer/index.ts';
import { readJob } from '../torrent-job.ts';
import { askForPieces } from './ask-for-pieces.ts';

/** After the start, until garbage and compilers have settled. */
const SETTLE_MS = 5_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { idle: { type: 'string', default: '20' } },
});
const [work, home, torrentFolder, dataFolder] = positionals;
if (!home || !torrentFolder || !dataFolder) throw new Error('session-work.ts needs three folders');

let port = 0;
const session = await Session.open({
  data: new DataFolder(home),
  start: async (listener) => {
    const transfer = await Transfer.start(
      {
        ...{ listenPort: 0, bindHost: '127.0.0.1', resumeDir: null },
        ...{ uploadLimit: Infinity, downloadLimit: Infinity },
        ...{ exchange: null, moneyPort: null },
      },
      listener,
    );
    port = transfer.port;
    return transfer;
  },
  onTrouble: (failure) => {
    throw failure;
  },
});
const startSeconds = process.uptime();
if (work === 'fill') await fill(torrentFolder, dataFolder);
else await run(torrentFolder, dataFolder);
await session.close();
process.exit(0);

function requestFor(path: string, root: string): AddRequest {
  const source = { kind: 'metainfo', bytes: new Uint8Array(readFileSync(path)) } as const;
  return { source, root, isSaidToBeComplete: true };
}

async function fill(torrents: string, root: string): Promise<void> {
  const names = readdirSync(torrents).filter((name) => name !== 'one-more.torrent');
  for (let at = 0; at < names.length; at += 500) {
    const paths = names.slice(at, at + 500).map((name) => join(torrents, name));
    const outcomes = await session.add(paths.map((path) => requestFor(path, root)));
    if (!outcomes.every(({ ok }) => ok)) throw new Error('a torrent could not be added');
  }
}

async function run(torrents: string, root: string): Promise<void> {
  const states = session.list().map(({ state }) => state);
  if (!states.every((state) => state === 'asleep')) throw new Error('some do not seed');
  await sleep(SETTLE_MS);
  const before = process.cpuUsage();
  await sleep(Number(values.idle) * 1000);
  const { user, system } = process.cpuUsage(before);
  const cpuPercent = (user + system) / 1e4 / Number(values.idle);
  const status = readFileSync('/proc/self/status', 'utf8');
  const rssBytes = 1024 * Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]);

  const addedAt = performance.now();
  const [outcome] = await session.add([requestFor(join(torrents, 'one-more.torrent'), root)]);
  const addMs = performance.now() - addedAt;
  if (!outcome?.ok) throw new Error('one more could not be added');

  const { infoHash } = readJob(join(torrents, '7.torrent'));
  const answerMs = await askForPieces(port, infoHash);
  const facts = { startSeconds, rssBytes, cpuPercent, addMs, answerMs };
  console.log(JSON.stringify({ ok: true, torrents: states.length, ...facts }));
}
