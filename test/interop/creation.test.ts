/**
 * Torrents we make of random trees of files: libtorrent reads them as we do, and makes the same of
 * the same files. v1 leaves the order of the files open, so that what it makes has other pieces.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { makeTorrent } from '../../src/daemon/torrents/index.ts';
import { nodeHasher, sha256 } from '../../src/platform/disk/index.ts';
import { toHex } from '../../src/units/index.ts';
import { type Metainfo, parseMetainfo, type TorrentVersion } from '../../src/wire/index.ts';
import { makeTempFolder, writeRandomFile } from '../support/files.ts';
import { canRun } from './availability.ts';
import { libtorrent } from './clients/libtorrent.ts';

const SCRIPT = fileURLToPath(new URL('clients/libtorrent_create.py', import.meta.url));
const BLOCK = 16_384;
const RUNS = 20;

/** Path below the torrent's folder → bytes. */
type Tree = Readonly<Record<string, number>>;

/** They sort differently by letters, by UTF-16 units and by bytes. */
const names = fc.constantFrom('a', 'B', 'a.b', 'a b', 'ä', 'Z', '1', '10', '2', '水', '😀', '~');
/** Lengths around whole blocks and pieces, where trees of hashes change their shape. */
const lengths = fc.oneof(
  fc.constantFrom(0, 1, 777),
  fc.integer({ min: 0, max: 300_000 }),
  fc
    .tuple(fc.integer({ min: 1, max: 18 }), fc.integer({ min: -1, max: 1 }))
    .map(([blocks, more]) => blocks * BLOCK + more),
);
/** Folders are named otherwise than files, so that no path is both. */
const paths = fc
  .tuple(fc.array(names, { maxLength: 2 }), names)
  .map(([folders, file]) => [...folders.map((name) => `${name}.d`), `${file}.f`].join('/'));
const trees: fc.Arbitrary<Tree> = fc
  .dictionary(paths, lengths, { minKeys: 2, maxKeys: 8 })
  .filter((tree) => Object.values(tree).some((lengthBytes) => lengthBytes > 0));

interface Case {
  readonly tree: Tree;
  readonly version: TorrentVersion;
  readonly pieceLengthBytes: number;
}

const read = async (path: string): Promise<Metainfo> =>
  parseMetainfo(new Uint8Array(await readFile(path)), { sha1: nodeHasher.sha1, sha256 });

const rootsOf = ({ files }: Metainfo): readonly string[] =>
  files.flatMap((file) => (file.piecesRoot ? [toHex(file.piecesRoot)] : []));

async function compare({ tree, version, pieceLengthBytes }: Case): Promise<void> {
  await using temp = await makeTempFolder('creation');
  const content = join(temp.path, 'content');
  for (const [path, lengthBytes] of Object.entries(tree)) {
    await writeRandomFile(join(content, path), lengthBytes);
  }
  const [out, theirOut] = [join(temp.path, 'ours.torrent'), join(temp.path, 'theirs.torrent')];
  await makeTorrent({
    ...{ path: content, out, isForced: false, version, name: null, pieceLengthBytes, extras: {} },
  });
  const args = [SCRIPT, out, content, version, `${pieceLengthBytes}`, theirOut];
  const run = spawnSync('/usr/bin/python3', args);
  assert.equal(run.status, 0, String(run.stderr));
  const heard = JSON.parse(String(run.stdout));
  const ours = await read(out);
  const theirs = await read(theirOut);
  const real = ours.files.filter((file) => !file.isPad);
  const listed = real.map((file) => [file.path.join('/'), file.lengthBytes]);
  assert.deepEqual(heard, {
    v1: ours.infoHashV1 && toHex(ours.infoHashV1),
    v2: ours.infoHashV2 && toHex(ours.infoHashV2),
    files: listed,
    roots: rootsOf(ours),
  });
  assert.deepEqual(rootsOf(theirs), rootsOf(ours));
  assert.deepEqual([...theirs.pieceLayers], [...ours.pieceLayers]);
  if (version === 'v2') assert.deepEqual(theirs.infoHashV2, ours.infoHashV2);
}

for (const version of ['v1', 'v2', 'hybrid'] as const) {
  test(`libtorrent reads any ${version} torrent of ours as we do, and hashes the same`, async (t) => {
    if (!canRun(t, [libtorrent])) return;
    const pieceLengths = fc.constantFrom(BLOCK, 2 * BLOCK, 4 * BLOCK, 16 * BLOCK);
    await fc.assert(
      fc.asyncProperty(trees, pieceLengths, (tree, pieceLengthBytes) =>
        compare({ tree, version, pieceLengthBytes }),
      ),
      { numRuns: RUNS },
    );
  });
}
