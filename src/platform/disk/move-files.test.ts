import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '../../units/index.ts';
import { FileLayout, finishMove, movesBetween, stageMove } from './index.ts';

const NAMES = [
  ['film', 'a.bin'],
  ['film', 'sub', 'b.bin'],
  ['film', 'not here'],
];

/** Two places for one torrent of three files, of which two are there. */
class Scene {
  readonly from: string;
  readonly to: string;

  constructor(t: TestContext, otherParent: string | null = null) {
    this.from = folder(t, tmpdir());
    this.to = otherParent === null ? join(this.from, 'new', 'place') : folder(t, otherParent);
    this.write(this.from, 0, 'alpha');
    this.write(this.from, 1, 'beta');
    fs.writeFileSync(this.layout(this.from).partsPath ?? '', 'parts');
  }

  get moves() {
    return movesBetween(this.layout(this.from), this.layout(this.to));
  }

  layout(root: string): FileLayout {
    const files = NAMES.map((path, nth) => ({
      ...{ path, lengthBytes: 10, offsetBytes: nth * 10, isPad: false },
    }));
    return new FileLayout(root, files, join(root, '.parts'));
  }

  path(root: string, nth: number): string {
    return join(root, ...(NAMES[nth] ?? []));
  }

  write(root: string, nth: number, text: string): void {
    fs.mkdirSync(dirname(this.path(root, nth)), { recursive: true });
    fs.writeFileSync(this.path(root, nth), text);
  }

  /** The texts at a place, and the part file's. */
  texts(root: string): (string | null)[] {
    const paths = [...NAMES.map((_, nth) => this.path(root, nth)), join(root, '.parts')];
    return paths.map((path) => (fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : null));
  }

  assertMoved(): void {
    assert.deepEqual(this.texts(this.to), ['alpha', 'beta', null, 'parts']);
    assert.deepEqual(this.texts(this.from), [null, null, null, null]);
  }

  assertNotMoved(): void {
    assert.deepEqual(this.texts(this.from), ['alpha', 'beta', null, 'parts']);
  }
}

function folder(t: TestContext, parent: string): string {
  const path = fs.mkdtempSync(join(parent, 'bidwidth-move-'));
  t.after(() => fs.rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A folder on another disk; null, and the test is skipped, where there is none. */
function otherDisk(t: TestContext): string | null {
  const isOther = fs.existsSync('/dev/shm') && dev('/dev/shm') !== dev(tmpdir());
  if (!isOther) t.skip('takes a second file system');
  return isOther ? '/dev/shm' : null;
}

function dev(path: string): number {
  return fs.statSync(path).dev;
}

function hasCode(code: string): (failure: unknown) => boolean {
  return (failure) => failure instanceof AppError && failure.code === code;
}

test('on one disk the new place is whole before the old one goes', async (t) => {
  const scene = new Scene(t);
  await stageMove(scene.moves);
  scene.assertNotMoved();
  assert.deepEqual(scene.texts(scene.to), ['alpha', 'beta', null, 'parts']);
  await finishMove(scene.moves, scene.from);
  scene.assertMoved();
  assert.deepEqual(fs.readdirSync(scene.from), ['new'], 'empty folders go, others stay');
});

test('to another disk files are copied, with their times and holes', async (t) => {
  const parent = otherDisk(t);
  if (parent === null) return;
  const scene = new Scene(t, parent);
  const sparse = scene.path(scene.from, 0);
  fs.truncateSync(sparse, 64 * 2 ** 20);
  fs.utimesSync(sparse, 1_000_000, 1_000_000);
  const copies = await stageMove(scene.moves);
  assert.equal(copies.size, 3);
  const copied = fs.statSync(scene.path(scene.to, 0));
  assert.equal(copied.mtimeMs, 1_000_000_000);
  assert.equal(copied.size, 64 * 2 ** 20);
  assert.ok(copied.blocks * 512 < 8 * 2 ** 20, `${copied.blocks} blocks`);
  await finishMove(scene.moves, scene.from, copies);
  assert.deepEqual(scene.texts(scene.from), [null, null, null, null]);
  assert.deepEqual(fs.readdirSync(dirname(scene.path(scene.to, 0))), ['a.bin', 'sub']);
});

test('each step may be repeated, as after a kill', async (t) => {
  for (const parent of [null, otherDisk(t)]) {
    const scene = new Scene(t, parent);
    await stageMove(scene.moves);
    if (parent !== null) {
      // Killed in the middle of a copy.
      fs.rmSync(scene.path(scene.to, 1));
      fs.writeFileSync(`${scene.path(scene.to, 1)}.bidwidth-copy`, 'be');
    }
    await stageMove(scene.moves);
    fs.rmSync(scene.path(scene.from, 0));
    await finishMove(scene.moves, scene.from);
    await finishMove(scene.moves, scene.from);
    scene.assertMoved();
  }
});

test('a different file at the new place is not replaced, and nothing is changed', async (t) => {
  for (const parent of [null, otherDisk(t)]) {
    for (const nth of [1, 2]) {
      const scene = new Scene(t, parent);
      scene.write(scene.to, nth, 'mine');
      await assert.rejects(stageMove(scene.moves), hasCode('PLATFORM_FILE_IN_THE_WAY'));
      scene.assertNotMoved();
      const left = scene.texts(scene.to);
      assert.deepEqual(
        left.filter((text) => text !== null),
        ['mine'],
      );
    }
  }
});

test('the same file at the new place is taken for ours', async (t) => {
  const scene = new Scene(t);
  scene.write(scene.to, 0, 'alpha');
  await stageMove(scene.moves);
  await finishMove(scene.moves, scene.from);
  scene.assertMoved();
});

test('a file that was changed between both steps is not deleted', async (t) => {
  const parent = otherDisk(t);
  if (parent === null) return;
  const scene = new Scene(t, parent);
  await stageMove(scene.moves);
  scene.write(scene.from, 0, 'other');
  await finishMove(scene.moves, scene.from);
  assert.deepEqual(scene.texts(scene.from), ['other', null, null, null]);
});

test('the new place may be the old one by another way: nothing is deleted', async (t) => {
  const scene = new Scene(t);
  const alias = join(folder(t, tmpdir()), 'alias');
  fs.symlinkSync(scene.from, alias);
  fs.linkSync(scene.path(scene.from, 0), join(scene.from, 'second name'));
  const moves = movesBetween(scene.layout(scene.from), scene.layout(alias));
  await stageMove(moves);
  await finishMove(moves, scene.from);
  scene.assertNotMoved();
});

test('a link at the new place that leads to the old one does not cost the file', async (t) => {
  const scene = new Scene(t);
  fs.mkdirSync(dirname(scene.path(scene.to, 0)), { recursive: true });
  fs.symlinkSync(scene.path(scene.from, 0), scene.path(scene.to, 0));
  await assert.rejects(stageMove(scene.moves), hasCode('PLATFORM_FILE_IN_THE_WAY'));
  await finishMove(scene.moves.slice(0, 1), scene.from);
  scene.assertNotMoved();
});

test('a link to elsewhere is moved as a link', async (t) => {
  const scene = new Scene(t);
  const elsewhere = join(folder(t, tmpdir()), 'data');
  fs.renameSync(scene.path(scene.from, 0), elsewhere);
  fs.symlinkSync(elsewhere, scene.path(scene.from, 0));
  await stageMove(scene.moves);
  await finishMove(scene.moves, scene.from);
  scene.assertMoved();
  assert.equal(fs.readlinkSync(scene.path(scene.to, 0)), elsewhere);
  assert.equal(fs.readFileSync(elsewhere, 'utf8'), 'alpha');
});

test('a stop before the end leaves the old place whole and the new one empty', async (t) => {
  const scene = new Scene(t, otherDisk(t));
  const stopped = new AbortController();
  stopped.abort();
  await assert.rejects(stageMove(scene.moves, stopped.signal), { name: 'AbortError' });
  scene.assertNotMoved();
  assert.deepEqual(scene.texts(scene.to), [null, null, null, null]);
});

test('what could not be staged, for want of hard links, is renamed in the end', async (t) => {
  const scene = new Scene(t);
  fs.mkdirSync(dirname(scene.path(scene.to, 1)), { recursive: true });
  await finishMove(scene.moves, scene.from);
  scene.assertMoved();
});
