/** Torrents that nobody seeds, of files that nginx serves (BEP 19): no peer, no tracker, no DHT. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { TorrentVersion } from '../../src/wire/index.ts';
import { makeTempFolder } from '../support/files.ts';
import { canGoOn } from './availability.ts';
import { aria2 } from './clients/aria2.ts';
import { bidwidth } from './clients/bidwidth.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { nginxUnavailable, startNginx } from './clients/nginx.ts';
import { qbittorrent } from './clients/qbittorrent.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { transmission } from './clients/transmission.ts';
import { type ContentShape, makeContent } from './content.ts';
import { assertSameContent } from './transfer.ts';

interface Case {
  readonly client: TorrentClient;
  readonly version: TorrentVersion;
  readonly shape: ContentShape;
}

async function download({ client, ...kind }: Case): Promise<void> {
  await using temp = await makeTempFolder('web-seed');
  const [source, target] = [join(temp.path, 'source'), join(temp.path, 'target')];
  await mkdir(source);
  await mkdir(target);
  await using server = await startNginx(source, join(temp.path, 'nginx'));
  const content = await makeContent(source, { ...kind, extras: { webSeeds: [server.url] } });
  await using downloading = await client.download({
    ...{ torrent: content.torrentPath, folder: target, host: '127.0.0.1' },
    homeFolder: join(temp.path, 'home'),
    source: { nobody: true },
  });
  await downloading.done;
  await assertSameContent(content.contentPath, join(target, content.name), client);
}

function isReady(t: TestContext, client: TorrentClient): boolean {
  return canGoOn(t, [client.unavailable() ?? [], nginxUnavailable() ?? []].flat());
}

describe('what a web server alone has', { concurrency: 4 }, () => {
  for (const shape of ['single-file', 'multi-file'] as const) {
    for (const version of ['v1', 'v2', 'hybrid'] as const) {
      test(`${version}, ${shape}, to bidwidth`, async (t) => {
        if (isReady(t, bidwidth)) await download({ client: bidwidth, version, shape });
      });
    }
    for (const client of [libtorrent, qbittorrent, aria2, transmission]) {
      test(`${shape}, named in a torrent of ours, to ${client.name}`, async (t) => {
        if (isReady(t, client)) await download({ client, version: 'v1', shape });
      });
    }
  }
});
