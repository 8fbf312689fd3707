/** One transfer between two clients, from nothing to compared digests. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DhtService } from '../../src/platform/dht/index.ts';
import type { TorrentVersion } from '../../src/wire/index.ts';
import { digestTree, makeTempFolder } from '../support/files.ts';
import { findOutwardAddress } from '../support/outward-address.ts';
import type { Endpoint } from '../support/ports.ts';
import { startLibtorrentDht } from './clients/libtorrent-dht.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { type ContentShape, makeContent } from './content.ts';

/** Who sends what to whom. */
export interface Transfer {
  readonly from: TorrentClient;
  readonly to: TorrentClient;
  /** v1 unless said otherwise. */
  readonly version?: TorrentVersion;
  readonly shape: ContentShape;
  /** What the downloader is given: both with the seed's address, or a hash and a DHT node alone. */
  readonly start: 'torrent' | 'magnet' | 'dht';
  /** IPv4 unless said otherwise. */
  readonly family?: 'IPv4' | 'IPv6';
}

const EMPTY_SHA256: string = createHash('sha256').digest('hex');

/** The address both sides can use: loopback unless one of them refuses it. */
export function hostFor(
  clients: readonly TorrentClient[],
  family: 'IPv4' | 'IPv6' = 'IPv4',
): string {
  const needsOutward = clients.some((client) => client.needsOutwardAddress);
  const loopback = family === 'IPv4' ? '127.0.0.1' : '::1';
  return (needsOutward ? findOutwardAddress(family) : null) ?? loopback;
}

/** A DHT of two nodes that nobody else knows: libtorrent's, and one of ours that joined it. */
async function startDht(host: string): Promise<AsyncDisposable & { readonly node: Endpoint }> {
  const theirs = await startLibtorrentDht([]);
  const ours = await DhtService.start({
    ...{ port: 0, bindHost: host, file: null, isReadOnly: false, routers: [theirs.node] },
  });
  return {
    node: theirs.node,
    [Symbol.asyncDispose]: async () => {
      await ours.stop();
      await theirs.child.stop();
    },
  };
}

/** Seeds fresh content with one client, downloads it with the other, compares every file. */
export async function transfer({ from, to, start, family, ...kind }: Transfer): Promise<void> {
  await using temp = await makeTempFolder('interop');
  const [source, target] = [join(temp.path, 'source'), join(temp.path, 'target')];
  await mkdir(source);
  await mkdir(target);
  const content = await makeContent(source, kind);
  const host = hostFor([from, to], family);
  await using dht = start === 'dht' ? await startDht(host) : null;
  await using seeding = await from.seed({
    torrentPath: content.torrentPath,
    folder: source,
    host,
    homeFolder: join(temp.path, 'seeder'),
    ...(dht && { dhtNode: dht.node }),
  });
  await using downloading = await to.download({
    torrent: start === 'torrent' ? content.torrentPath : content.magnet,
    folder: target,
    host,
    homeFolder: join(temp.path, 'downloader'),
    source: dht ? { dhtNode: dht.node } : { peer: seeding.endpoint },
  });
  await downloading.done;
  await assertSameContent(content.contentPath, join(target, content.name), to);
}

/**
 * Throws unless `copy` has the very files of `original`, as far as `client` makes them. Padding
 * files (BEP 47), which clients that do not know them write, are not looked at.
 */
export async function assertSameContent(
  original: string,
  copy: string,
  client: TorrentClient,
): Promise<void> {
  const expected = Object.entries(await digestTree(original)).filter(
    ([, digest]) => client.createsEmptyFiles || digest !== EMPTY_SHA256,
  );
  const found = Object.entries(await digestTree(copy)).filter(
    ([path]) => !path.startsWith('.pad/'),
  );
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries(expected));
}
