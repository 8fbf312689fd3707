import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '../../units/index.ts';
import { type Allocation, allocateFiles, FileLayout, ownFiles } from './index.ts';

const PIECE = 100_000;
const LENGTHS = [250_000, 0, 350_000];

/** Two files of six pieces, the first of which is here. */
function layoutIn(t: TestContext, scale = 1): FileLayout {
  const root = fs.mkdtempSync(join(tmpdir(), 'bidwidth-allocate-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  let offsetBytes = 0;
  const files = LENGTHS.map((length, nth) => {
    const lengthBytes = length * scale;
    const file = { path: ['film', `f${nth}`], lengthBytes, offsetBytes, isPad: false };
    offsetBytes += lengthBytes;
    return file;
  });
  fs.mkdirSync(join(root, 'film'));
  return new FileLayout(root, files);
}

function allocate(how: Allocation, layout: FileLayout, wanted = [0, 1, 2]): Promise<void> {
  const isWanted = (nth: number): boolean => wanted.includes(nth);
  const isHere = (piece: number): boolean => piece === 0;
  return allocateFiles(how, { layout, pieceLengthBytes: PIECE, isWanted, isHere });
}

function pathOf(layout: FileLayout, nth: number): string {
  return join(layout.root, 'film', `f${nth}`);
}

test('none makes no file, sparse gives lengths, full gives room; what is not wanted is left', async (t) => {
  const layout = layoutIn(t);
  await allocate('none', layout);
  assert.deepEqual(fs.readdirSync(join(layout.root, 'film')), []);
  await allocate('sparse', layout);
  const sparse = fs.statSync(pathOf(layout, 2));
  assert.equal(sparse.size, 350_000);
  assert.ok(sparse.blocks * 512 < 350_000, 'holes take no room');
  const other = layoutIn(t);
  await allocate('full', other, [2]);
  const full = fs.statSync(pathOf(other, 2));
  assert.equal(full.size, 350_000);
  assert.ok(full.blocks * 512 >= 350_000, `${full.blocks} blocks`);
  assert.equal(fs.existsSync(pathOf(other, 0)), false);
});

test('pieces that are here keep their bytes, and no file is made shorter', async (t) => {
  const layout = layoutIn(t);
  fs.writeFileSync(pathOf(layout, 0), new Uint8Array(100_000).fill(7));
  fs.writeFileSync(pathOf(layout, 2), new Uint8Array(400_000).fill(8));
  for (const how of ['sparse', 'full'] as const) {
    await allocate(how, layout);
    const bytes = fs.readFileSync(pathOf(layout, 0));
    assert.equal(bytes.length, 250_000);
    assert.ok(bytes.subarray(0, 100_000).every((byte) => byte === 7));
    assert.equal(fs.statSync(pathOf(layout, 2)).size, 400_000);
  }
});

test('a torrent that does not fit is told before anything is written', async (t) => {
  const layout = layoutIn(t, 1_000_000_000);
  const isFull = (failure: unknown): boolean =>
    failure instanceof AppError &&
    failure.code === 'PLATFORM_DISK_FULL' &&
    /has room for .*, .* are needed: free some space$/.test(failure.message);
  await assert.rejects(allocate('full', layout), isFull);
  assert.deepEqual(fs.readdirSync(join(layout.root, 'film')), []);
});

test('what is to be written is not shared with others: links become files of our own', async (t) => {
  const layout = layoutIn(t);
  const others = [join(layout.root, 'hard'), join(layout.root, 'soft')];
  for (const path of others) fs.writeFileSync(path, 'theirs');
  fs.linkSync(others[0] ?? '', pathOf(layout, 0));
  fs.symlinkSync(others[1] ?? '', pathOf(layout, 2));
  await ownFiles(layout, { needsWrite: () => false });
  assert.equal(fs.statSync(pathOf(layout, 0)).nlink, 2, 'what is only read stays shared');
  await ownFiles(layout, { needsWrite: () => true });
  for (const nth of [0, 2]) {
    const stat = fs.lstatSync(pathOf(layout, nth));
    assert.ok(stat.isFile() && stat.nlink === 1);
    fs.appendFileSync(pathOf(layout, nth), ' and ours');
    assert.equal(fs.readFileSync(pathOf(layout, nth), 'utf8'), 'theirs and ours');
  }
  for (const path of others) assert.equal(fs.readFileSync(path, 'utf8'), 'theirs');
  assert.deepEqual(fs.readdirSync(join(layout.root, 'film')), ['f0', 'f2']);
});
