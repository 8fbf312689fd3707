/**
 * Two whole nodes of one program: a file is made into a torrent, seeded and downloaded over TCP.
 *
 * Run: node examples/transfer.ts
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolder, readTorrentSource } from '../src/daemon/index.ts';
import { startNode, type TorrentNode } from '../src/daemon/node/index.ts';
import { makeTorrent } from '../src/daemon/torrents/index.ts';

const folder = await mkdtemp(join(tmpdir(), 'bidwidth-example-'));
const [from, to, out] = ['seed', 'download', 'song.torrent'].map((name) => join(folder, name));
if (!from || !to || !out) throw new Error('three names make three paths');

await mkdir(from);
await writeFile(join(from, 'song.bin'), new Uint8Array(3_000_000).fill(42));
const made = await makeTorrent({
  path: join(from, 'song.bin'),
  out,
  isForced: false,
  version: 'v1',
  pieceLengthBytes: null,
  name: null,
  extras: {},
});
console.log(`${made.name}: ${made.pieceCount} pieces`);

/** A node with its own memory and thread, which tells when its torrent is complete. */
async function start(name: string, onComplete: () => void): Promise<TorrentNode> {
  const data = new DataFolder(join(folder, name));
  const limits = { uploadLimit: Infinity, downloadLimit: Infinity };
  // `market: null` is an ordinary client: nothing that has to do with money is loaded.
  return startNode(
    { data, port: 0, bindHost: '127.0.0.1', market: null, ...limits },
    {
      onNews: (_torrent, news) => news.kind === 'complete' && onComplete(),
      onCrash: (failure) => console.error(failure),
    },
  );
}

const source = await readTorrentSource(out);
const rest = { source, useTrackers: false };
const seed = await start('a', () => console.log('the seed has everything'));
await seed.transfer.add({ ...rest, root: from, peers: [], mustBeComplete: true });

const done = Promise.withResolvers<void>();
const node = await start('b', () => done.resolve());
const peers = [{ host: '127.0.0.1', port: seed.transfer.port }];
await node.transfer.add({ ...rest, root: to, peers, mustBeComplete: false });
await done.promise;

const copy = await readFile(join(to, 'song.bin'));
console.log(`downloaded ${copy.length} bytes, all right: ${copy.every((byte) => byte === 42)}`);
await node.stop();
await seed.stop();
await rm(folder, { recursive: true });
