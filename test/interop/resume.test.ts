/** Downloads that are interrupted half way and started again: who has something keeps it. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeTempFolder } from '../support/files.ts';
import { startMiniTracker } from '../support/mini-tracker.ts';
import { canRun } from './availability.ts';
import { aria2 } from './clients/aria2.ts';
import { bidwidth, bidwidthWith } from './clients/bidwidth.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { qbittorrent } from './clients/qbittorrent.ts';
import { rtorrent } from './clients/rtorrent.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { transmission } from './clients/transmission.ts';
import { webtorrent } from './clients/webtorrent.ts';
import { type Content, makeContent } from './content.ts';
import { assertSameContent, hostFor } from './transfer.ts';

const CONTENT_BYTES = 16 * 1_048_576;
/** Eight seconds: what is looked at once a second is still in time. */
const RATE = 2 * 1_048_576;
/** Who begins again half way takes one and a half; pieces that were not finished come twice. */
const COPIES_MAX = 1.3;

interface Scene {
  readonly content: Content;
  readonly source: string;
  readonly target: string;
  home(name: string): string;
}

async function withScene(client: TorrentClient, run: (scene: Scene) => Promise<void>) {
  await using temp = await makeTempFolder('resume');
  const [source, target] = [join(temp.path, 'source'), join(temp.path, 'target')];
  await mkdir(source);
  await mkdir(target);
  const content = await makeContent(source, { shape: 'single-file', lengthBytes: CONTENT_BYTES });
  await run({ content, source, target, home: (name) => join(temp.path, name) });
  await assertSameContent(content.contentPath, join(target, content.name), client);
}

const theyGoOn = (client: TorrentClient): Promise<void> =>
  withScene(client, async ({ content, source, target, home }) => {
    const host = hostFor([client]);
    await using seeding = await bidwidth.seed({
      ...{ torrentPath: content.torrentPath, folder: source, host, homeFolder: home('seed') },
      uploadLimit: RATE,
    });
    await using tracker = await startMiniTracker(host, [seeding.endpoint]);
    const job = {
      ...{ torrent: content.torrentPath, folder: target, host, homeFolder: home('theirs') },
      source: { announceUrl: tracker.announceUrl },
    };
    {
      await using first = await client.download(job);
      first.done.catch(() => {});
      while (seeding.uploadedBytes() < CONTENT_BYTES / 2) await delay(50);
    }
    await using second = await client.download(job);
    await second.done;
    const copies = seeding.uploadedBytes() / CONTENT_BYTES;
    assert.ok(copies < COPIES_MAX, `${copies} copies`);
  });

const weGoOn = (client: TorrentClient): Promise<void> =>
  withScene(bidwidth, async ({ content, source, target, home }) => {
    const host = hostFor([client]);
    await using seeding = await client.seed({
      ...{ torrentPath: content.torrentPath, folder: source, host, homeFolder: home('seed') },
    });
    const job = {
      ...{ torrent: content.torrentPath, folder: target, host, homeFolder: home('ours') },
      source: { peer: seeding.endpoint },
    };
    {
      await using first = await bidwidthWith('', ['--download-limit', `${RATE}`]).download(job);
      first.done.catch(() => {});
      const has = (): number => Number(first.lines().at(-1)?.['haveBytes'] ?? 0);
      while (has() < CONTENT_BYTES / 2) await delay(50);
    }
    await using second = await bidwidth.download(job);
    await second.done;
    const { receivedBytes } = second.lines().at(-1) ?? {};
    assert.ok(Number(receivedBytes) <= CONTENT_BYTES / 2, `${receivedBytes} bytes`);
  });

/** All at once: the rate is what they wait for. */
describe('interrupted half way', { concurrency: 8 }, () => {
  for (const client of [transmission, rtorrent, aria2, qbittorrent, libtorrent, webtorrent]) {
    test(`${client.name} goes on with what it has from us`, async (t) => {
      if (canRun(t, [bidwidth, client])) await theyGoOn(client);
    });
  }
  for (const client of [qbittorrent, rtorrent]) {
    test(`we go on with what we have from ${client.name}`, async (t) => {
      if (canRun(t, [bidwidth, client])) await weGoOn(client);
    });
  }
});
