/** v2 and hybrid torrents with libtorrent, both ways, by file and by magnet link (BEP 52). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeTorrent } from '../../src/daemon/torrents/index.ts';
import { nodeHasher, sha256 } from '../../src/platform/disk/index.ts';
import { toHex } from '../../src/units/index.ts';
import { parseMetainfo, type TorrentVersion } from '../../src/wire/index.ts';
import { makeTempFolder, writeRandomFile } from '../support/files.ts';
import { canRun } from './availability.ts';
import { bidwidth } from './clients/bidwidth.ts';
import { libtorrent, libtorrentUnavailable } from './clients/libtorrent.ts';
import type { TorrentClient } from './clients/torrent-client.ts';
import { assertSameContent, hostFor } from './transfer.ts';

/** Small pieces: a file of 10 MB has more of them than one hash request may ask for. */
const PIECE_LENGTH_BYTES = 16 * 1024;

/** Files of less than a block, of one piece, of odd lengths, and one that needs two requests. */
const FILES: Readonly<Record<string, number>> = {
  'a/one-byte.bin': 1,
  'a/odd.bin': 314_571,
  'b/empty.bin': 0,
  'b/one-piece.bin': 16_384,
  'b/large.bin': 10_000_011,
  'last.bin': 777,
};

type Shape = 'single-file' | 'multi-file';

interface Made {
  readonly torrentPath: string;
  readonly contentPath: string;
  readonly name: string;
  readonly magnet: string;
}

async function makeV2(folder: string, shape: Shape, version: TorrentVersion): Promise<Made> {
  const name = shape === 'single-file' ? 'single.bin' : 'several';
  const contentPath = join(folder, name);
  if (shape === 'single-file') await writeRandomFile(contentPath, 9_000_001);
  else {
    for (const [path, lengthBytes] of Object.entries(FILES)) {
      await writeRandomFile(join(contentPath, path), lengthBytes);
    }
  }
  const torrentPath = join(folder, `${shape}.torrent`);
  const { magnet } = await makeTorrent({
    ...{ path: contentPath, out: torrentPath, isForced: false, version, name: null },
    ...{ pieceLengthBytes: PIECE_LENGTH_BYTES, extras: {} },
  });
  return { torrentPath, contentPath, name, magnet };
}

interface Case {
  readonly from: TorrentClient;
  readonly to: TorrentClient;
  readonly version: TorrentVersion;
  readonly shape: Shape;
  readonly start: 'torrent' | 'magnet';
}

async function transferV2({ from, to, version, shape, start }: Case): Promise<void> {
  await using temp = await makeTempFolder('interop-v2');
  const [source, target] = [join(temp.path, 'source'), join(temp.path, 'target')];
  await mkdir(source);
  await mkdir(target);
  const made = await makeV2(source, shape, version);
  const host = hostFor([from, to]);
  await using seeding = await from.seed({
    ...{ torrentPath: made.torrentPath, folder: source, host },
    homeFolder: join(temp.path, 'seeder'),
  });
  await using downloading = await to.download({
    torrent: start === 'magnet' ? made.magnet : made.torrentPath,
    ...{ folder: target, host, source: { peer: seeding.endpoint } },
    homeFolder: join(temp.path, 'downloader'),
  });
  await downloading.done;
  await assertSameContent(made.contentPath, join(target, made.name), to);
}

const PAIRS: readonly (readonly [TorrentClient, TorrentClient])[] = [
  [libtorrent, bidwidth],
  [bidwidth, libtorrent],
  [bidwidth, bidwidth],
];

describe('v2 and hybrid torrents', { concurrency: 3 }, () => {
  for (const [from, to] of PAIRS) {
    for (const version of ['v2', 'hybrid'] as const) {
      for (const shape of ['single-file', 'multi-file'] as const) {
        for (const start of ['torrent', 'magnet'] as const) {
          test(`${from.name} seeds ${version} ${shape} to ${to.name} by ${start}`, async (t) => {
            if (canRun(t, [from, to])) await transferV2({ from, to, version, shape, start });
          });
        }
      }
    }
  }
});

/** What libtorrent reads from a torrent of ours, and the torrent it makes of the same files. */
const ORACLE = `
import json, os, sys
import libtorrent as lt
path, folder, version, out = sys.argv[1:5]
ti = lt.torrent_info(path)
hashes = ti.info_hashes()
fs = ti.files()
files = [[fs.file_path(i), fs.file_size(i)] for i in range(fs.num_files())
         if not fs.file_flags(i) & lt.file_flags_t.flag_pad_file]
roots = [str(fs.root(i)) for i in range(fs.num_files())
         if not fs.file_flags(i) & lt.file_flags_t.flag_pad_file and fs.file_size(i) > 0]
made = lt.file_storage()
lt.add_files(made, folder)
flags = lt.create_torrent_flags_t.v2_only if version == 'v2' else 0
create = lt.create_torrent(made, ${PIECE_LENGTH_BYTES}, flags)
lt.set_piece_hashes(create, os.path.dirname(folder))
open(out, 'wb').write(lt.bencode(create.generate()))
print(json.dumps({'v1': str(hashes.v1) if hashes.has_v1() else None,
  'v2': str(hashes.v2) if hashes.has_v2() else None, 'files': files, 'roots': roots}))
`;

for (const version of ['v2', 'hybrid'] as const) {
  test(`libtorrent reads our ${version} torrent as we do, and makes the same trees`, async (t) => {
    const missing = libtorrentUnavailable();
    if (missing !== null) {
      t.skip(missing);
      return;
    }
    await using temp = await makeTempFolder('v2-oracle');
    const { torrentPath, contentPath } = await makeV2(temp.path, 'multi-file', version);
    const script = join(temp.path, 'oracle.py');
    const out = join(temp.path, 'theirs.torrent');
    await writeFile(script, ORACLE);
    const run = spawnSync('/usr/bin/python3', [script, torrentPath, contentPath, version, out]);
    assert.equal(run.status, 0, String(run.stderr));
    const read = JSON.parse(String(run.stdout));
    const digests = { sha1: nodeHasher.sha1, sha256 };
    const ours = parseMetainfo(new Uint8Array(await readFile(torrentPath)), digests);
    const theirs = parseMetainfo(new Uint8Array(await readFile(out)), digests);
    const real = ours.files.filter((file) => !file.isPad);
    assert.equal(read.v1, ours.infoHashV1 && toHex(ours.infoHashV1));
    assert.equal(read.v2, ours.infoHashV2 && toHex(ours.infoHashV2));
    assert.deepEqual(
      read.files,
      real.map((file) => [file.path.join('/'), file.lengthBytes]),
    );
    const rootsOf = (torrent: typeof ours): string[] =>
      torrent.files.flatMap((file) => (file.piecesRoot ? [toHex(file.piecesRoot)] : []));
    assert.deepEqual(read.roots, rootsOf(ours));
    assert.deepEqual(rootsOf(theirs), rootsOf(ours));
    assert.deepEqual([...theirs.pieceLayers], [...ours.pieceLayers]);
    if (version === 'v2') assert.deepEqual(theirs.infoHashV2, ours.infoHashV2);
  });
}
