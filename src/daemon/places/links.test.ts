/** Links inside torrents (BEP 47), from the download to the move. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FileGuard } from '../../platform/disk/index.ts';
import { toHex } from '../../units/index.ts';
import { encodeBencode } from '../../wire/index.ts';
import { startLoop } from '../transfer/testing/test-loop.ts';
import { readInput } from '../transfer/torrent-input.ts';
import { targetAt } from './place.ts';
import { relocate } from './relocation.ts';

const CONTENT = new Uint8Array(20_000).fill(7);

function link(path: string, target: string) {
  return { attr: 'l', length: 0, path: path.split('/'), 'symlink path': target.split('/') };
}

/** A torrent of two files, with a link to a file, to a folder, and to where no link may lead. */
function linked(): Uint8Array {
  const pieces = [0, 1].map((nth) =>
    hash('sha1', CONTENT.subarray(nth * 16_384, (nth + 1) * 16_384), 'buffer'),
  );
  return encodeBencode({
    info: {
      name: 'box',
      'piece length': 16_384,
      pieces: new Uint8Array(Buffer.concat(pieces)),
      files: [
        { length: 15_000, path: ['a'] },
        { length: 5_000, path: ['deep', 'b'] },
        link('deep/to a', 'a'),
        link('to deep', 'deep'),
        link('out', '../../etc/passwd'),
      ],
    },
  });
}

function folderOf(t: TestContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bidwidth-links-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Both files below `root`, as a seed has them. */
function fill(root: string): void {
  fs.mkdirSync(join(root, 'box', 'deep'), { recursive: true });
  fs.writeFileSync(join(root, 'box', 'a'), CONTENT.subarray(0, 15_000));
  fs.writeFileSync(join(root, 'box', 'deep', 'b'), CONTENT.subarray(15_000));
}

test('a download makes links inside the torrent, a move takes them along', async (t) => {
  const folder = folderOf(t);
  const [from, root, to] = ['from', 'root', 'to'].map((name) => join(folder, name)) as [
    ...[string, string, string],
  ];
  fill(from);
  const source = { kind: 'metainfo', bytes: linked() } as const;
  const seed = await startLoop(t);
  const rest = { source, useTrackers: false, mustBeComplete: false };
  await seed.loop.add({ ...rest, root: from, peers: [] });
  await seed.until('complete');
  const leech = await startLoop(t);
  const peers = [{ host: '127.0.0.1', port: seed.loop.port }];
  const key = await leech.loop.add({ ...rest, root, peers });
  await leech.until('complete');
  await leech.loop.remove(key);
  const box = join(root, 'box');
  assert.equal(fs.readlinkSync(join(box, 'deep', 'to a')), join('..', 'a'));
  assert.equal(fs.readlinkSync(join(box, 'to deep')), 'deep');
  assert.equal(fs.lstatSync(join(box, 'out')).size, 0);
  assert.ok(fs.lstatSync(join(box, 'out')).isFile(), 'a link to elsewhere is an empty file');

  const { info, infoHash } = readInput(source);
  assert.ok(info);
  const at = { key: toHex(infoHash), info, from: { root, names: [] } };
  const names = [{ file: 'top', path: 'crate' } as const];
  await relocate({ ...at, to: { root: to, names } }, { resume: null, commit: async () => {} });
  assert.equal(fs.existsSync(box), false, 'nothing of it is left behind');
  assert.ok(
    fs.readFileSync(join(to, 'crate', 'to deep', 'to a')).equals(CONTENT.subarray(0, 15_000)),
  );
});

test('what stands where a link belongs stays, and a folder behind a link may change', async (t) => {
  const root = folderOf(t);
  fill(root);
  fs.writeFileSync(join(root, 'box', 'to deep'), 'mine');
  fs.writeFileSync(join(root, 'box', 'a'), 'spoiled');
  const { loop, until } = await startLoop(t);
  const source = { kind: 'metainfo', bytes: linked() } as const;
  const rest = { root, peers: [], useTrackers: false, mustBeComplete: false };
  await loop.add({ source, ...rest });
  await until('started');
  assert.equal(fs.readFileSync(join(root, 'box', 'to deep'), 'utf8'), 'mine');
  assert.ok(fs.lstatSync(join(root, 'box', 'deep', 'to a')).isSymbolicLink());

  fs.rmSync(join(root, 'box', 'to deep'));
  fs.symlinkSync('deep', join(root, 'box', 'to deep'));
  const { info, infoHash } = readInput(source);
  assert.ok(info);
  const guard = new FileGuard(targetAt(toHex(infoHash), info, { root, names: [] }).layout);
  assert.equal(await guard.look(false), null);
  fs.writeFileSync(join(root, 'box', 'deep', 'notes of mine'), '');
  assert.equal(await guard.look(false), null);
});
