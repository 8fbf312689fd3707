/** A swarm around one slow seed: every downloader finishes, and gets help from the others. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempFolder } from '../support/files.ts';
import { libtorrent } from './clients/libtorrent.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { makeContent } from './content.ts';
import { assertSameContent } from './transfer.ts';

const CONTENT_BYTES = 12 * 1_048_576 + 4_321;
/** Slow enough that downloaders who wait for the seed alone would finish last. */
const SEED_BYTES_PER_SECOND = 4 * 1_048_576;
/** Of all bytes downloaded, the seed may have sent this much. Alone it would have sent them all. */
const SEED_SHARE_MAX = 0.8;

/** Runs the swarm by the tracker at `announceUrl` on `host`; all downloaders at the same time. */
export async function runSwarm(
  downloaders: readonly TorrentClient[],
  { announceUrl, host }: { readonly announceUrl: string; readonly host: string },
): Promise<void> {
  await using temp = await makeTempFolder('swarm');
  const source = join(temp.path, 'source');
  await mkdir(source);
  const content = await makeContent(source, {
    shape: 'single-file',
    lengthBytes: CONTENT_BYTES,
    tracker: announceUrl,
  });
  await using seeding = await libtorrent.seed({
    torrentPath: content.torrentPath,
    folder: source,
    host,
    homeFolder: join(temp.path, 'seeder'),
    announceUrl,
    uploadLimit: SEED_BYTES_PER_SECOND,
  });
  await using handles = new AsyncDisposableStack();
  const running = downloaders.map(async (client, index) => {
    const folder = join(temp.path, `target-${index}`);
    await mkdir(folder);
    const downloading = handles.use(
      await client.download({
        torrent: content.torrentPath,
        folder,
        host,
        homeFolder: join(temp.path, `downloader-${index}`),
        source: { announceUrl },
        staySeeding: true,
      }),
    );
    await downloading.done;
    await assertSameContent(content.contentPath, join(folder, content.name), client);
  });
  await Promise.all(running);
  const share = seeding.uploadedBytes() / (downloaders.length * content.totalBytes);
  assert.ok(share > 0, 'the seed has sent something');
  assert.ok(share < SEED_SHARE_MAX, `the seed sent ${share.toFixed(2)} of all bytes itself`);
}
