/** Torrents that nobody seeds, of files that nginx serves (BEP 19): no peer, no tracker, no DHT. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { TorrentVersion } from '../../src/wire/index.ts';
import { startChild } from '../support/children.ts';
import { makeTempFolder } from '../support/files.ts';
import { canGoOn } from './availability.ts';
import { bidwidth, bidwidthCommand } from './clients/bidwidth.ts';
import { libtorrent, libtorrentCommand } from './clients/libtorrent.ts';
import { nginxUnavailable, startNginx } from './clients/nginx.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { type ContentShape, makeContent } from './content.ts';
import { assertSameContent } from './transfer.ts';

/** How a client is told to download a torrent, and of nobody who has it. */
type Command = (torrent: string, to: string) => readonly [string, ...string[]];

const ALONE = ['--port', '0', '--no-trackers', '--no-dht', '--no-lsd', '--no-nat', '--json'];
const ours: Command = (torrent, to) => bidwidthCommand(['download', torrent, '--to', to, ...ALONE]);
const theirs: Command = (torrent, to) => libtorrentCommand(['download', torrent, to]);

interface Case {
  readonly client: TorrentClient;
  readonly command: Command;
  readonly version: TorrentVersion;
  readonly shape: ContentShape;
}

async function download({ client, command, ...kind }: Case): Promise<void> {
  await using temp = await makeTempFolder('web-seed');
  const [source, target] = [join(temp.path, 'source'), join(temp.path, 'target')];
  await mkdir(source);
  await mkdir(target);
  await using server = await startNginx(source, join(temp.path, 'nginx'));
  const content = await makeContent(source, { ...kind, extras: { webSeeds: [server.url] } });
  const [program, ...args] = command(content.torrentPath, target);
  await using child = startChild(program, args, { env: { HOME: join(temp.path, 'home') } });
  await child.success();
  await assertSameContent(content.contentPath, join(target, content.name), client);
}

function isReady(t: TestContext, client: TorrentClient): boolean {
  return canGoOn(t, [client.unavailable() ?? [], nginxUnavailable() ?? []].flat());
}

describe('what a web server alone has', { concurrency: 3 }, () => {
  for (const shape of ['single-file', 'multi-file'] as const) {
    for (const version of ['v1', 'v2', 'hybrid'] as const) {
      test(`${version}, ${shape}, to bidwidth`, async (t) => {
        const one = { client: bidwidth, command: ours, version, shape };
        if (isReady(t, bidwidth)) await download(one);
      });
    }
    test(`${shape}, named in a torrent of ours, to libtorrent`, async (t) => {
      const one = { client: libtorrent, command: theirs, version: 'v1', shape } as const;
      if (isReady(t, libtorrent)) await download(one);
    });
  }
});
