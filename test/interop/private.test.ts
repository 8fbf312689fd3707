/**
 * A private torrent (BEP 27) with foreign clients by our tracker, everything else being on: it goes
 * both ways, and neither the DHT nor the local network hears of it.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from '../support/children.ts';
import { makeTempFolder } from '../support/files.ts';
import { canRun } from './availability.ts';
import { startBystander } from './bystander.ts';
import { bidwidth, bidwidthCommand, startBidwidthTracker } from './clients/bidwidth.ts';
import { libtorrent, libtorrentCommand } from './clients/libtorrent.ts';
import { qbittorrentWith } from './clients/qbittorrent.ts';
import { type Content, makeContent } from './content.ts';
import { assertSameContent } from './transfer.ts';

const HOST = '127.0.0.1';
const TIMEOUT_MS = 180_000;
const qbittorrent = qbittorrentWith('qbittorrent with DHT, PEX and LSD', {
  DHTEnabled: 'true',
  LSDEnabled: 'true',
  PeXEnabled: 'true',
});

function infoHashOf({ magnet }: Content): string {
  return /btih:([0-9a-f]{40})/.exec(magnet)?.[1] ?? '';
}

test('a private torrent is for the tracker alone', { timeout: TIMEOUT_MS }, async (t) => {
  if (!canRun(t, [bidwidth, libtorrent, qbittorrent])) return;
  await using temp = await makeTempFolder('private');
  const folder = async (name: string): Promise<string> => {
    await mkdir(join(temp.path, name));
    return join(temp.path, name);
  };
  await using tracker = await startBidwidthTracker(HOST);
  await using bystander = await startBystander(HOST);
  const node = `${bystander.dhtNode.host}:${bystander.dhtNode.port}`;
  const ours = (name: string, args: readonly string[]): Child => {
    const open = ['--bind', HOST, '--port', '0', '--dht-node', node, '--json'];
    const [command, ...rest] = bidwidthCommand([...args, ...open]);
    return startChild(command, rest, {
      env: { HOME: join(temp.path, name) },
      timeoutMs: TIMEOUT_MS,
    });
  };

  const source = await folder('source');
  const secret = await makeContent(source, {
    ...{ shape: 'multi-file', tracker: tracker.announceUrl, extras: { isPrivate: true } },
  });
  const [command, ...rest] = libtorrentCommand([
    ...['seed', secret.torrentPath, source, '--lsd', '--dht-node', node],
  ]);
  const theirSeed = startChild(command, rest, { timeoutMs: TIMEOUT_MS });
  await theirSeed.waitForLine(({ event }) => event === 'complete');
  const middle = await folder('middle');
  await using ourNode = ours('ours', ['download', secret.torrentPath, '--to', middle, '--seed']);
  await ourNode.waitForLine(({ event, ok }) => event === 'complete' || ok === true);
  await assertSameContent(secret.contentPath, join(middle, secret.name), bidwidth);

  await theirSeed.stop();
  const target = await folder('target');
  await using downloading = await qbittorrent.download({
    ...{ torrent: secret.torrentPath, folder: target, host: HOST },
    homeFolder: join(temp.path, 'qbittorrent'),
    source: { announceUrl: tracker.announceUrl },
  });
  await downloading.done;
  await assertSameContent(secret.contentPath, join(target, secret.name), qbittorrent);

  // A public torrent is announced later: when it has been heard of, the other would have been.
  const open = await folder('open');
  const known = await makeContent(open, { shape: 'single-file', lengthBytes: 100_000 });
  await using _public = ours('public', ['seed', known.torrentPath, '--from', open]);
  for (const where of ['dht', 'lsd'] as const) {
    while (!bystander.hasHeard(where, infoHashOf(known))) await delay(50);
    assert.ok(!bystander.hasHeard(where, infoHashOf(secret)), where);
  }
});
