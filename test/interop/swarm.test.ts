/** Many clients on one torrent at once: foreign ones by a mini tracker, then ours by our own. */
import { test } from 'node:test';
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
