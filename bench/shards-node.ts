/**
 * A node of ours that downloads several torrents at once, with as many transfer threads as it is
 * told, or as many whole processes: what the machine allows when nothing is shared.
 *
 *   node bench/shards-node.ts --shards N --target DIR [--processes] TORRENT=HOST:PORT…
 *
 * Prints {"event":"done","seconds":S}: from the first torrent added to the last one complete.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DataFolder } from '../src/daemon/index.ts';
import { startNode } from '../src/daemon/node/index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shards: { type: 'string', default: '1' },
    target: { type: 'string', default: '' },
    processes: { type: 'boolean', default: false },
  },
});

const seconds = values.processes ? await inProcesses() : await inThreads(Number(values.shards));
if (process.send) process.send({ seconds });
else console.log(JSON.stringify({ event: 'done', seconds }));

async function inThreads(shards: number): Promise<number> {
  const complete = new Set<string>();
  const all = Promise.withResolvers<void>();
  const limits = { uploadLimit: Infinity, downloadLimit: Infinity };
  const data = new DataFolder(join(values.target, 'node'));
  const node = await startNode(
    { data, port: 0, bindHost: '127.0.0.1', market: null, shards, ...limits },
    {
      onNews: (torrent, news) => {
        if (news.kind === 'failed') all.reject(new Error(news.line));
        if (news.kind !== 'complete') return;
        if (complete.add(torrent).size === positionals.length) all.resolve();
      },
      onCrash: all.reject,
    },
  );
  const jobs = await Promise.all(positionals.map(readJob));
  if (process.send) {
    process.send({ isReady: true });
    await once(process, 'message');
  }
  const startedAt = performance.now();
  for (const { bytes, host, port, root } of jobs) {
    await node.transfer.add({
      source: { kind: 'metainfo', bytes },
      root,
      peers: [{ host, port }],
      useTrackers: false,
      mustBeComplete: false,
    });
  }
  await all.promise;
  const took = (performance.now() - startedAt) / 1000;
  await node.stop();
  return took;
}

/** One process a torrent; they begin together. The last one counts. */
async function inProcesses(): Promise<number> {
  const children = positionals.map((job, nth) => {
    const target = join(values.target, `process-${nth}`);
    return fork(fileURLToPath(import.meta.url), ['--target', target, job]);
  });
  await Promise.all(children.map((child) => once(child, 'message')));
  const results = children.map((child) => once(child, 'message'));
  for (const child of children) child.send('go');
  const all = await Promise.all(results);
  return Math.max(...all.map(([answer]: { readonly seconds: number }[]) => answer?.seconds ?? NaN));
}

async function readJob(
  text: string,
): Promise<{ bytes: Uint8Array; host: string; port: number; root: string }> {
  const [torrentPath = '', host = '', port = ''] = text.split(/=|:(?=\d+$)/);
  const bytes = new Uint8Array(await readFile(torrentPath));
  // Every torrent has a folder of its own: their files may have the same name.
  return { bytes, host, port: Number(port), root: join(values.target, port) };
}
