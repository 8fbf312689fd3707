/** Chains: we pass on to one client what we are still downloading from another. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeTempFolder } from '../support/files.ts';
import { canRun } from './availability.ts';
import { aria2 } from './clients/aria2.ts';
import { bidwidth, bidwidthWith } from './clients/bidwidth.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { qbittorrent } from './clients/qbittorrent.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { transmission } from './clients/transmission.ts';
import { webtorrent } from './clients/webtorrent.ts';
import { makeContent } from './content.ts';
import { assertSameContent, hostFor } from './transfer.ts';

const CONTENT_BYTES = 24 * 1_048_576 + 12_345;
/** So that it takes longer than until choking, and what Transmission looks for, comes round. */
const slowBidwidth = bidwidthWith('bidwidth', ['--download-limit', '1500K']);

// rTorrent, once it has all that a peer has, asks that peer again in its next round of 30 seconds.
const CLIENTS = [libtorrent, qbittorrent, webtorrent, aria2, transmission];

async function chain(first: TorrentClient, last: TorrentClient): Promise<void> {
  await using temp = await makeTempFolder('chain');
  const [source, middle, target] = ['source', 'middle', 'target'].map((name) =>
    join(temp.path, name),
  ) as [string, string, string];
  for (const folder of [source, middle, target]) await mkdir(folder);
  const content = await makeContent(source, { shape: 'single-file', lengthBytes: CONTENT_BYTES });
  const torrent = content.torrentPath;
  const host = hostFor([first, last]);
  await using seeding = await first.seed({
    ...{ torrentPath: torrent, folder: source, host, homeFolder: join(temp.path, 'first') },
  });
  await using ours = await slowBidwidth.download({
    ...{ torrent, folder: middle, host, homeFolder: join(temp.path, 'ours'), staySeeding: true },
    source: { peer: seeding.endpoint },
  });
  await using theirs = await last.download({
    ...{ torrent, folder: target, host, homeFolder: join(temp.path, 'last') },
    source: { peer: ours.endpoint },
  });
  await Promise.all([ours.done, theirs.done]);
  const hasPassedOn = ours
    .lines()
    .some((line) => Number(line['remainingBytes']) > 0 && Number(line['sentBytes']) > 0);
  assert.ok(hasPassedOn, `${last.name} has got something before we had all`);
  await assertSameContent(content.contentPath, join(middle, content.name), bidwidth);
  await assertSameContent(content.contentPath, join(target, content.name), last);
}

describe('while we are still downloading', { concurrency: CLIENTS.length }, () => {
  for (const [at, first] of CLIENTS.entries()) {
    const last = CLIENTS[(at + 1) % CLIENTS.length] ?? libtorrent;
    test(`${last.name} downloads from us what ${first.name} sends us`, async (t) => {
      if (canRun(t, [bidwidth, first, last])) await chain(first, last);
    });
  }
});
