/** Peer exchange, both ways: a download whose one known peer has almost nothing itself. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeTempFolder } from '../support/files.ts';
import { findThreeAddresses } from '../support/outward-address.ts';
import { canGoOn, canRun } from './availability.ts';
import { aria2With } from './clients/aria2.ts';
import { bidwidth, bidwidthWith } from './clients/bidwidth.ts';
import { libtorrent, libtorrentWith } from './clients/libtorrent.ts';
import { qbittorrentWith } from './clients/qbittorrent.ts';
import { rtorrentWith } from './clients/rtorrent.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { transmissionWith } from './clients/transmission.ts';
import { webtorrentWith } from './clients/webtorrent.ts';
import { makeContent } from './content.ts';
import { assertSameContent } from './transfer.ts';

/** Who is in the middle would take minutes to get it, and hours to send it. */
const CONTENT_BYTES = 16 * 1_048_576;
const [UPLOAD, DOWNLOAD] = [1_000, 64_000];
const [UPLOAD_KB, DOWNLOAD_KB] = [1, 64];

/** A client with PEX on, as it is and with the limits of who is in the middle, if it tells. */
interface Exchanger {
  readonly free: TorrentClient;
  readonly slow: TorrentClient | null;
}

const LIMITS = ['--upload-limit', `${UPLOAD}`, '--download-limit', `${DOWNLOAD}`];

const EXCHANGERS: readonly Exchanger[] = [
  {
    free: libtorrent,
    slow: libtorrentWith('libtorrent', {
      ...{ upload_rate_limit: UPLOAD, download_rate_limit: DOWNLOAD },
    }),
  },
  {
    free: qbittorrentWith('qbittorrent', { PeXEnabled: 'true' }),
    slow: qbittorrentWith('qbittorrent', {
      ...{ PeXEnabled: 'true', GlobalUPSpeedLimit: UPLOAD_KB, GlobalDLSpeedLimit: DOWNLOAD_KB },
    }),
  },
  {
    free: transmissionWith('transmission', { 'pex-enabled': true }),
    slow: transmissionWith('transmission', {
      ...{ 'pex-enabled': true, 'speed-limit-up-enabled': true, 'speed-limit-up': UPLOAD_KB },
      ...{ 'speed-limit-down-enabled': true, 'speed-limit-down': DOWNLOAD_KB },
    }),
  },
  {
    free: aria2With('aria2', ['--enable-peer-exchange=true']),
    slow: aria2With('aria2', [
      ...['--enable-peer-exchange=true', `--max-upload-limit=${UPLOAD}`],
      `--max-download-limit=${DOWNLOAD}`,
    ]),
  },
  {
    free: webtorrentWith('webtorrent', ['--pex']),
    // It listens and never tells.
    slow: null,
  },
  {
    free: rtorrentWith('rtorrent', { 'protocol.pex': 'yes' }),
    // It listens, and has told nothing after three minutes.
    slow: null,
  },
];

/** Who knows the seed is `middle`, who knows nobody but that is `last`; null is ours. */
interface Cast {
  readonly middle: TorrentClient | null;
  readonly last: TorrentClient | null;
}

async function tell(cast: Cast, [theirHost, seedHost, ourHost]: readonly string[]): Promise<void> {
  const ourSelf = (options: readonly string[], host = ''): TorrentClient =>
    bidwidthWith('bidwidth', ['--bind', host, ...options]);
  const middle = cast.middle ?? ourSelf(LIMITS, ourHost);
  const last = cast.last ?? ourSelf([], ourHost);
  const hostOf = (client: TorrentClient | null): string => (client ? theirHost : ourHost) ?? '';
  await using temp = await makeTempFolder('pex');
  const at = (name: string): string => join(temp.path, name);
  for (const name of ['source', 'middle', 'got']) await mkdir(at(name));
  const shape = { shape: 'single-file', lengthBytes: CONTENT_BYTES } as const;
  const { torrentPath, contentPath, magnet, name } = await makeContent(at('source'), shape);
  await using seed = await bidwidthWith('bidwidth', ['--bind', seedHost ?? '']).seed({
    ...{ torrentPath, folder: at('source'), host: seedHost ?? '', homeFolder: at('seed-home') },
  });
  await using between = await middle.download({
    ...{ torrent: torrentPath, folder: at('middle'), host: hostOf(cast.middle) },
    ...{ homeFolder: at('middle-home'), source: { peer: seed.endpoint }, staySeeding: true },
  });
  between.done.catch(() => {});
  // Most tell once a minute: of whom they do not know yet they tell a minute later.
  while (seed.uploadedBytes() === 0) await delay(50);
  await using downloading = await last.download({
    ...{ torrent: magnet, folder: at('got'), host: hostOf(cast.last) },
    ...{ homeFolder: at('last-home'), source: { peer: between.endpoint } },
  });
  await downloading.done;
  await assertSameContent(contentPath, join(at('got'), name), last);
}

/** All at once: they wait for each other's timers, a minute and more of Transmission's. */
describe('peer exchange', { concurrency: 2 * EXCHANGERS.length }, () => {
  const play = async (t: TestContext, cast: Cast): Promise<void> => {
    const theirs = [cast.middle ?? [], cast.last ?? []].flat();
    const hosts = findThreeAddresses(theirs.some((one) => one.needsOutwardAddress));
    if (!canRun(t, [bidwidth, ...theirs])) return;
    if (!canGoOn(t, hosts ? [] : ['three outward addresses need root'])) return;
    await tell(cast, hosts ?? []);
  };
  for (const { free, slow } of EXCHANGERS) {
    test(`${free.name} finds a seed that we told it of`, (t) =>
      play(t, { middle: null, last: free }));
    if (slow === null) continue;
    test(`we find a seed that ${slow.name} told us of`, (t) =>
      play(t, { middle: slow, last: null }));
  }
});
