import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bitfield, concatBytes, seededRandom } from '../../units/index.ts';
import { PlatformError, type PlatformErrorCode } from '../platform-error.ts';
import {
  checkFiles,
  FileLayout,
  type LayoutFile,
  nodeHasher,
  Placement,
  prepareFiles,
  TorrentStore,
} from './index.ts';

const PIECE = 100;

interface Disk {
  readonly root: string;
  readonly layout: FileLayout;
  readonly whole: Uint8Array;
  readonly pieceHashes: Uint8Array;
  readonly store: TorrentStore;
}

function folder(t: TestContext): string {
  const root = fs.mkdtempSync(join(tmpdir(), 'bidwidth-disk-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  return root;
}

/** A torrent of files with the given lengths; `pad` names those that are padding. */
function diskOf(
  t: TestContext,
  lengths: readonly number[],
  options: {
    readonly root?: string;
    readonly pad?: readonly number[];
    readonly piece?: number;
  } = {},
): Disk {
  const { root = folder(t), pad = [], piece = PIECE } = options;
  let offsetBytes = 0;
  const files: LayoutFile[] = lengths.map((lengthBytes, nth) => {
    const file = {
      path: [`folder${nth % 2}`, `file${nth}`],
      lengthBytes,
      offsetBytes,
      isPad: pad.includes(nth),
    };
    offsetBytes += lengthBytes;
    return file;
  });
  const random = seededRandom(1);
  const whole = new Uint8Array(offsetBytes).map(() => random() * 256);
  for (const file of files) {
    if (file.isPad) whole.fill(0, file.offsetBytes, file.offsetBytes + file.lengthBytes);
  }
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += piece) {
    hashes.push(nodeHasher.sha1(whole.subarray(at, at + piece)));
  }
  const layout = new FileLayout(root, files);
  const store = new TorrentStore(new Placement(layout, piece));
  t.after(() => store.close());
  return { root, layout, whole, pieceHashes: concatBytes(...hashes), store };
}

function write(disk: Disk, index: number, piece: number = PIECE): Promise<Error | null> {
  const view = disk.whole.slice(index * piece, (index + 1) * piece);
  return new Promise((resolve) => disk.store.writePiece(index, view, resolve));
}

async function writeAll(disk: Disk): Promise<void> {
  await prepareFiles(disk.layout);
  for (let index = 0; index * PIECE < disk.whole.length; index++) {
    assert.equal(await write(disk, index), null);
  }
}

function read(disk: Disk, offset: number, into: Uint8Array): Promise<Error | null> {
  return new Promise((resolve) => disk.store.read(offset, into, resolve));
}

function check(disk: Disk, piece: number = PIECE): Promise<Bitfield> {
  const { layout, pieceHashes } = disk;
  return checkFiles({ layout, pieceLengthBytes: piece, pieceHashes });
}

function assertCode(failure: Error | null, code: PlatformErrorCode, words: RegExp): void {
  assert.ok(failure instanceof PlatformError, `${failure}`);
  assert.equal(failure.code, code);
  assert.match(failure.message, words);
  assert.ok(!failure.message.includes('\n'));
}

test('pieces spanning files land in their files, and are read and checked again', async (t) => {
  const disk = diskOf(t, [250, 3, 0, 1, 99, 400]);
  await writeAll(disk);
  for (const file of disk.layout.files) {
    const { offsetBytes, lengthBytes } = file;
    const wanted = Buffer.from(disk.whole.subarray(offsetBytes, offsetBytes + lengthBytes));
    assert.deepEqual(fs.readFileSync(disk.layout.pathOf(file)), wanted);
  }
  const into = new Uint8Array(disk.whole.length);
  assert.equal(await read(disk, 0, into), null);
  assert.deepEqual(into, disk.whole);
  assert.ok((await check(disk)).isComplete);
});

test('padding is zeros and is never on disk (BEP 47)', async (t) => {
  const disk = diskOf(t, [150, 50, 300], { pad: [1] });
  await writeAll(disk);
  assert.equal(fs.existsSync(disk.layout.pathOf(disk.layout.files[1] as LayoutFile)), false);
  const into = new Uint8Array(disk.whole.length).fill(9);
  assert.equal(await read(disk, 0, into), null);
  assert.deepEqual(into, disk.whole);
  assert.ok((await check(disk)).isComplete);
});

test('a piece that is all padding needs no file', async (t) => {
  const disk = diskOf(t, [100, 100, 100], { pad: [1] });
  assert.equal(await write(disk, 1), null);
  assert.deepEqual((await check(disk)).toBytes(), Uint8Array.of(0b01000000));
});

test('empty files exist from the start, and existing ones are left as they are', async (t) => {
  const disk = diskOf(t, [10, 0, 0]);
  const [, kept, made] = disk.layout.files.map((file) => disk.layout.pathOf(file));
  fs.mkdirSync(join(disk.root, 'folder1'));
  fs.writeFileSync(kept as string, 'mine');
  await prepareFiles(disk.layout);
  assert.equal(fs.readFileSync(kept as string, 'utf8'), 'mine');
  assert.equal(fs.statSync(made as string).size, 0);
});

test('wrong, missing and short files cost the pieces they touch, no more', async (t) => {
  const disk = diskOf(t, [250, 250, 250]);
  await writeAll(disk);
  const [first, second, third] = disk.layout.files.map((file) => disk.layout.pathOf(file));
  const goodPieces = async (): Promise<number[]> => {
    const good = await check(disk);
    return [0, 1, 2, 3, 4, 5, 6, 7].filter((piece) => good.has(piece));
  };
  fs.truncateSync(third as string, 200);
  assert.deepEqual(await goodPieces(), [0, 1, 2, 3, 4, 5, 6]);
  fs.rmSync(second as string);
  assert.deepEqual(await goodPieces(), [0, 1, 5, 6]);
  const flipped = fs.readFileSync(first as string);
  flipped[0] = (flipped[0] ?? 0) ^ 1;
  fs.writeFileSync(first as string, flipped);
  assert.deepEqual(await goodPieces(), [1, 5, 6]);
});

// Reading a folder failed with an error that nobody expected, and the transfer thread ended.
test('a folder where a file belongs counts as missing, and writing says what is in the way', async (t) => {
  const disk = diskOf(t, [150, 150]);
  fs.mkdirSync(disk.layout.pathOf(disk.layout.files[0] as LayoutFile), { recursive: true });
  assert.equal((await check(disk)).count, 0);
  assertCode(await write(disk, 0), 'PLATFORM_DISK', /in the way/);
});

test('a file where a folder belongs is said to be in the way', async (t) => {
  const disk = diskOf(t, [100]);
  fs.writeFileSync(join(disk.root, 'folder0'), '');
  assertCode(await write(disk, 0), 'PLATFORM_DISK', /in the way/);
});

test('reading what is gone or too short says so', async (t) => {
  const disk = diskOf(t, [100, 100]);
  await writeAll(disk);
  await disk.store.close();
  const [first, second] = disk.layout.files.map((file) => disk.layout.pathOf(file));
  fs.rmSync(first as string);
  fs.truncateSync(second as string, 10);
  assertCode(await read(disk, 0, new Uint8Array(50)), 'PLATFORM_FILE_MISSING', /is missing/);
  assertCode(await read(disk, 100, new Uint8Array(50)), 'PLATFORM_DISK', /ends at byte 10/);
});

// The descriptor that reads were using was closed when the first write opened the file anew: they
// failed, or read another file that had got its number.
test('reads under way survive the first write to their file', async (t) => {
  const disk = diskOf(
    t,
    Array.from({ length: 40 }, () => 200_000),
    { piece: 100_000 },
  );
  for (const file of disk.layout.files) {
    const path = disk.layout.pathOf(file);
    fs.mkdirSync(join(path, '..'), { recursive: true });
    const { offsetBytes, lengthBytes } = file;
    fs.writeFileSync(path, disk.whole.subarray(offsetBytes, offsetBytes + lengthBytes));
  }
  const jobs: Promise<void>[] = [];
  for (let index = 0; index < 80; index++) {
    const into = new Uint8Array(100_000);
    const wanted = disk.whole.subarray(index * 100_000, (index + 1) * 100_000);
    jobs.push(
      read(disk, index * 100_000, into).then((failure) => {
        assert.equal(failure, null);
        assert.ok(Buffer.compare(into, wanted) === 0, `piece ${index}`);
      }),
      write(disk, index, 100_000).then((failure) => assert.equal(failure, null)),
    );
  }
  await Promise.all(jobs);
});

test('more files than may be open are served all the same', async (t) => {
  const disk = diskOf(
    t,
    Array.from({ length: 300 }, () => 10),
  );
  await writeAll(disk);
  const into = new Uint8Array(disk.whole.length);
  assert.equal(await read(disk, 0, into), null);
  assert.deepEqual(into, disk.whole);
  const open = fs.readdirSync('/proc/self/fd').length;
  assert.ok(open < 128 + 100, `${open} descriptors are open`);
});

test('closing waits for what is under way', async (t) => {
  const disk = diskOf(t, [1000]);
  await prepareFiles(disk.layout);
  let written = 0;
  for (let index = 0; index < 10; index++) void write(disk, index).then(() => written++);
  await disk.store.close();
  await Promise.resolve();
  assert.equal(written, 10);
});

test('a check can be called off', async (t) => {
  const disk = diskOf(t, [1000]);
  await writeAll(disk);
  const abort = new AbortController();
  const { layout, pieceHashes } = disk;
  const seen: number[] = [];
  const onProgress = (checked: number): void => {
    seen.push(checked);
    if (checked === 3) abort.abort();
  };
  const target = { layout, pieceLengthBytes: PIECE, pieceHashes };
  await assert.rejects(checkFiles(target, { onProgress, signal: abort.signal }));
  assert.deepEqual(seen, [1, 2, 3]);
});

test('a full disk is said in one plain line, and what fits later is right', (t) => {
  const mount = folder(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', mount], { stdio: 'ignore' });
  } catch {
    t.skip('only root can mount a file system of a small size');
    return;
  }
  return fillUp(t, mount).finally(() => execFileSync('umount', ['-l', mount]));
});

async function fillUp(t: TestContext, mount: string): Promise<void> {
  const piece = 64 * 1024;
  fs.writeFileSync(join(mount, 'ballast'), new Uint8Array(128 * 1024));
  const disk = diskOf(t, [3 * piece], { root: join(mount, 'data'), piece });
  await prepareFiles(disk.layout);
  assert.equal(await write(disk, 0, piece), null);
  const failures = [await write(disk, 1, piece), await write(disk, 2, piece)];
  assertCode(failures.find((failure) => failure !== null) ?? null, 'PLATFORM_DISK_FULL', /full/);
  const before = await check(disk, piece);
  assert.ok(before.has(0) && !before.isComplete);
  for (const [nth, failure] of failures.entries()) {
    if (failure) assert.equal(before.has(nth + 1), false);
  }
  fs.rmSync(join(mount, 'ballast'));
  for (let index = 0; index < 3; index++) {
    if (!before.has(index)) assert.equal(await write(disk, index, piece), null);
  }
  assert.ok((await check(disk, piece)).isComplete);
}
