/** v2 and hybrid torrents with clients that know them and clients that do not (BEP 52). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeHasher, sha256 } from '../../src/platform/disk/index.ts';
import { toHex } from '../../src/units/index.ts';
import { parseMetainfo } from '../../src/wire/index.ts';
import { makeTempFolder } from '../support/files.ts';
import { bidwidth } from './clients/bidwidth.ts';
import { libtorrent, libtorrentUnavailable } from './clients/libtorrent.ts';
import { qbittorrent } from './clients/qbittorrent.ts';
import { rtorrent } from './clients/rtorrent.ts';
import { makeContent, V2_PIECE_BYTES } from './content.ts';
import { bothWays, testTransfers } from './pairs.ts';

testTransfers(
  'v2 and hybrid torrents',
  (['v2', 'hybrid'] as const).flatMap((version) =>
    bothWays(bidwidth, [libtorrent, qbittorrent, bidwidth], version),
  ),
);

/**
 * It takes a hybrid for a v1 torrent, padding for files. aria2 1.36 computes a wrong info-hash of
 * any hybrid, and Transmission 3.00 refuses it: neither reads a dictionary with an empty key.
 */
testTransfers('hybrid torrents and a client without v2', [
  { from: rtorrent, to: bidwidth, version: 'hybrid', shape: 'single-file', start: 'torrent' },
  { from: bidwidth, to: rtorrent, version: 'hybrid', shape: 'multi-file', start: 'torrent' },
]);

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
create = lt.create_torrent(made, ${V2_PIECE_BYTES}, flags)
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
    const content = await makeContent(temp.path, { shape: 'multi-file', version });
    const { torrentPath, contentPath } = content;
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
