/** Many clients on one torrent at once: foreign ones by a mini tracker, then ours by our own. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { portOf, Stage } from '../market/stage.ts';
import { sha256OfFile } from '../support/files.ts';
import { startMiniTracker } from '../support/mini-tracker.ts';
import { canRun } from './availability.ts';
import { aria2 } from './clients/aria2.ts';
import { bidwidth, startBidwidthTracker } from './clients/bidwidth.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { rtorrent } from './clients/rtorrent.ts';
import { runSwarm } from './swarm.ts';

const HOST = '127.0.0.1';

test('foreign clients finish together from one slow seed', async (t) => {
  const downloaders = [libtorrent, libtorrent, rtorrent, aria2];
  if (!canRun(t, downloaders)) return;
  await using tracker = await startMiniTracker(HOST);
  await runSwarm(downloaders, { announceUrl: tracker.announceUrl, host: HOST });
});

test('two free Bidwidth nodes and two foreign clients finish by our tracker', async (t) => {
  const downloaders = [bidwidth, bidwidth, libtorrent, aria2];
  if (!canRun(t, downloaders)) return;
  await using tracker = await startBidwidthTracker(HOST);
  await runSwarm(downloaders, { announceUrl: tracker.announceUrl, host: HOST });
});

test('a buyer, a free node and two foreign clients finish together from a node that sells', async (t) => {
  const foreign = [libtorrent, aria2];
  if (!canRun(t, [bidwidth, ...foreign])) return;
  await using stage = await Stage.open('interop-market', 8 * 1_048_576);
  await stage.openChain('seller', 'buyer');
  const options = ['--ask', '100', '--upload-limit', '3M'];
  const seller = stage.seed({ name: 'seller', options });
  const port = await portOf(seller);
  await seller.waitForLine(({ event }) => event === 'seeding');
  await using handles = new AsyncDisposableStack();
  const others = foreign.map(async (client) => {
    const folder = join(stage.home(client.name), 'got');
    await mkdir(folder, { recursive: true });
    const homeFolder = join(stage.home(client.name), 'home');
    const job = { torrent: stage.torrent.torrentPath, folder, host: HOST, homeFolder };
    await handles.use(await client.download({ ...job, source: { peer: { host: HOST, port } } }))
      .done;
  });
  const money = ['--max-price', '1000', '--budget', '100'];
  const buyer = await stage.download({ name: 'buyer', peers: [port], options: money });
  const free = await stage.download({ name: 'free', peers: [port] });
  await Promise.all([buyer.success(), free.success(), ...others]);
  const source = sha256OfFile(stage.torrent.contentPath);
  for (const name of ['buyer', 'free', ...foreign.map((client) => client.name)]) {
    assert.equal(sha256OfFile(stage.copy(name)), source, name);
  }
  await seller.stop('SIGINT', 15_000);
  const paid = BigInt(String(buyer.lines().at(-1)?.['paidAtto']));
  assert.ok(paid > 0n, 'the buyer has paid');
  assert.equal(BigInt(String(seller.lines().at(-1)?.['earnedAtto'])), paid);
});
