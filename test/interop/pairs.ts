/** The pairs of clients to test, as tests: one client in the middle, the others around it. */
import { describe, test } from 'node:test';
import type { TorrentVersion } from '../../src/wire/index.ts';
import { canRun } from './availability.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { type Transfer, transfer } from './transfer.ts';

/** Transfers at the same time: clients mostly wait for each other's timers (choking, announces). */
const CONCURRENCY = 4;

const STARTS: Readonly<Record<Transfer['start'], string>> = {
  torrent: '',
  magnet: ' by magnet link',
  dht: ' by nothing but the DHT',
};

/** Registers one test per transfer; each skips or fails by itself where a client is missing. */
export function testTransfers(title: string, transfers: readonly Transfer[]): void {
  describe(title, { concurrency: CONCURRENCY }, () => {
    for (const one of transfers) {
      const version = (one.version ?? 'v1') === 'v1' ? '' : ` of a ${one.version} torrent`;
      const content = one.shape === 'single-file' ? 'one file' : 'several files';
      const start = STARTS[one.start];
      test(`${one.from.name} seeds ${content}${version} to ${one.to.name}${start}`, async (t) => {
        if (canRun(t, [one.from, one.to])) await transfer(one);
      });
    }
  });
}

/** Both directions between `middle` and each other client: files, several files, magnet links. */
export function bothWays(
  middle: TorrentClient,
  others: readonly TorrentClient[],
  version: TorrentVersion = 'v1',
): readonly Transfer[] {
  return others.flatMap((other) => [
    { from: other, to: middle, version, shape: 'single-file', start: 'torrent' },
    { from: other, to: middle, version, shape: 'multi-file', start: 'magnet' },
    { from: middle, to: other, version, shape: 'multi-file', start: 'torrent' },
    { from: middle, to: other, version, shape: 'single-file', start: 'magnet' },
  ]);
}
