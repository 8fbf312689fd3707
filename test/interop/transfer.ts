/** One transfer between two clients, from nothing to compared digests. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { digestTree, makeTempFolder } from '../support/files.ts';
import { findOutwardAddress } from '../support/outward-address.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { type ContentShape, makeContent } from './content.ts';

/** Who sends what to whom. */
export interface Transfer {
  readonly from: TorrentClient;
  readonly to: TorrentClient;
  readonly shape: ContentShape;
  /** What the downloader is given. */
  readonly start: 'torrent' | 'magnet';
}

const EMPTY_SHA256: string = createHash('sha256').digest('hex');

/** The address both sides can use: loopback unless one of them refuses it. */
export function hostFor(clients: readonly TorrentClient[]): string {
  const needsOutward = clients.some((client) => client.needsOutwardAddress);
  return (needsOutward ? findOutwardAddress() : null) ?? '127.0.0.1';
}

/** Seeds fresh content with one client, downloads it with the other, compares every file. */
export async function transfer({ from, to, shape, start }: Transfer): Promise<void> {
  await using temp = await makeTempFolder('interop');
  const [source, target] = [join(temp.path, 'source'), join(temp.path, 'target')];
  await mkdir(source);
  await mkdir(target);
  const content = await makeContent(source, { shape });
  const host = hostFor([from, to]);
  await using seeding = await from.seed({
    torrentPath: content.torrentPath,
    folder: source,
    host,
    homeFolder: join(temp.path, 'seeder'),
  });
  await using downloading = await to.download({
    torrent: start === 'magnet' ? content.magnet : content.torrentPath,
    folder: target,
    host,
    homeFolder: join(temp.path, 'downloader'),
    source: { peer: seeding.endpoint },
  });
  await downloading.done;
  await assertSameContent(content.contentPath, join(target, content.name), to);
}

/** Throws unless `copy` has the very files of `original`, as far as `client` makes them. */
export async function assertSameContent(
  original: string,
  copy: string,
  client: TorrentClient,
): Promise<void> {
  const expected = Object.entries(await digestTree(original)).filter(
    ([, digest]) => client.createsEmptyFiles || digest !== EMPTY_SHA256,
  );
  assert.deepEqual(await digestTree(copy), Object.fromEntries(expected));
}
