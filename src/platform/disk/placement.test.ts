import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Bitfield, concatBytes, seededRandom } from '../../units/index.ts';
import {
  checkFiles,
  FileLayout,
  makeResume,
  nodeHasher,
  Placement,
  piecesOf,
  prepareFiles,
  TorrentStore,
} from './index.ts';

const PIECE = 10;

/** A torrent on a disk where files come and go with the selection. */
class PartialDisk {
  readonly layout: FileLayout;
  readonly whole: Uint8Array;
  readonly pieceCount: number;
  placement: Placement;
  store: TorrentStore;

  constructor(root: string, lengths: readonly number[]) {
    let offsetBytes = 0;
    const files = lengths.map((lengthBytes, nth) => {
      const file = { path: [`d${nth % 2}`, `f${nth}`], lengthBytes, offsetBytes, isPad: false };
      offsetBytes += lengthBytes;
      return file;
    });
    const random = seededRandom(1);
    this.whole = new Uint8Array(offsetBytes).map(() => 1 + random() * 255);
    this.layout = new FileLayout(root, files, join(root, '.parts'));
    this.pieceCount = Math.ceil(offsetBytes / PIECE);
    this.placement = new Placement(this.layout, PIECE);
    this.store = new TorrentStore(this.placement);
  }

  get hasPartFile(): boolean {
    return fs.existsSync(join(this.layout.root, '.parts'));
  }

  pathOf(nth: number): string {
    const file = this.layout.files[nth];
    assert.ok(file);
    return this.layout.pathOf(file);
  }

  bytesOf(nth: number): Uint8Array {
    const { offsetBytes = 0, lengthBytes = 0 } = this.layout.files[nth] ?? {};
    return this.whole.slice(offsetBytes, offsetBytes + lengthBytes);
  }

  select(wanted: readonly boolean[]): void {
    this.placement.select((nth) => wanted[nth] ?? false);
  }

  async write(piece: number): Promise<void> {
    const view = this.whole.slice(piece * PIECE, (piece + 1) * PIECE);
    const failure = await new Promise((resolve) => this.store.writePiece(piece, view, resolve));
    assert.equal(failure, null);
  }

  /** What a peer would be sent; null when it cannot be read. */
  async read(piece: number): Promise<Uint8Array | null> {
    const start = piece * PIECE;
    const into = new Uint8Array(Math.min(PIECE, this.whole.length - start));
    const failure = await new Promise((resolve) => this.store.read(start, into, resolve));
    return failure ? null : into;
  }

  /** As after a restart of the process. */
  async restart(wanted: readonly boolean[]): Promise<void> {
    await this.store.close();
    this.placement = new Placement(this.layout, PIECE);
    this.store = new TorrentStore(this.placement);
    this.select(wanted);
  }

  async check(): Promise<readonly number[]> {
    const hashes: Uint8Array[] = [];
    for (let at = 0; at < this.whole.length; at += PIECE) {
      hashes.push(nodeHasher.sha1(this.whole.subarray(at, at + PIECE)));
    }
    const pieceHashes = concatBytes(...hashes);
    const { placement: layout } = this;
    const good = await checkFiles({ layout, pieceLengthBytes: PIECE, pieceHashes });
    return Array.from({ length: good.size }, (_, piece) => piece).filter((piece) =>
      good.has(piece),
    );
  }
}

function diskOf(t: TestContext, lengths: readonly number[]): PartialDisk {
  const root = fs.mkdtempSync(join(tmpdir(), 'bidwidth-parts-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const disk = new PartialDisk(root, lengths);
  t.after(() => disk.store.close());
  return disk;
}

test('a file that is not wanted is not made: its part of a shared piece is in the part file', async (t) => {
  const disk = diskOf(t, [15, 15, 0]);
  const wanted = [true, false, false];
  disk.select(wanted);
  await prepareFiles(disk.layout, (nth) => wanted[nth] ?? false);
  await disk.write(0);
  await disk.write(1);
  assert.deepEqual(new Uint8Array(fs.readFileSync(disk.pathOf(0))), disk.bytesOf(0));
  assert.equal(fs.existsSync(disk.pathOf(1)), false);
  assert.equal(fs.existsSync(disk.pathOf(2)), false);
  assert.deepEqual(await disk.read(1), disk.whole.slice(10, 20));
  assert.equal(await disk.read(2), null);
});

test('a file that is wanted later gets its bytes, and an empty part file goes', async (t) => {
  const disk = diskOf(t, [15, 15, 15]);
  disk.select([true, false, false]);
  await disk.write(1);
  disk.select([true, true, false]);
  assert.deepEqual(
    new Uint8Array(fs.readFileSync(disk.pathOf(1))).slice(0, 5),
    disk.whole.slice(15, 20),
  );
  assert.equal(disk.hasPartFile, false);
  assert.deepEqual(await disk.check(), [1]);
  // The next piece in need of a part file finds a new one, not the one that was deleted.
  await disk.write(3);
  assert.ok(disk.hasPartFile);
  assert.deepEqual(await disk.read(3), disk.whole.slice(30, 40));
  await disk.restart([true, true, false]);
  assert.deepEqual(await disk.check(), [1, 3]);
});

test('a file on disk that is not wanted any more is used where it is', async (t) => {
  const disk = diskOf(t, [15, 15]);
  disk.select([true, true]);
  await disk.write(2);
  disk.select([true, false]);
  await disk.write(1);
  assert.equal(disk.hasPartFile, false);
  assert.deepEqual(await disk.check(), [1, 2]);
});

test('a file that becomes wanted while a piece is being written gets it all the same', async (t) => {
  const disk = diskOf(t, [15, 15]);
  disk.select([true, false]);
  const written = disk.write(1);
  disk.select([true, true]);
  await written;
  assert.deepEqual(await disk.check(), [1]);
  assert.equal(disk.hasPartFile, false);
});

test('whatever is selected when, what was written is read, also after a restart', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), piece: fc.nat(20) }),
    fc.record({
      kind: fc.constantFrom('select' as const, 'restart' as const),
      wanted: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
    }),
  );
  const lengths = fc.array(fc.nat(25), { minLength: 6, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(lengths, fc.array(step, { maxLength: 20 }), async (sizes, steps) => {
      const root = fs.mkdtempSync(join(tmpdir(), 'bidwidth-parts-'));
      const disk = new PartialDisk(root, sizes);
      try {
        const written = new Set<number>();
        const everWanted = new Set<number>(sizes.keys());
        let isFirst = true;
        for (const each of steps) {
          if (each.kind === 'write') {
            if (each.piece >= disk.pieceCount) continue;
            if (isFirst) everWanted.clear();
            if (isFirst) disk.select([]);
            isFirst = false;
            await disk.write(each.piece);
            written.add(each.piece);
          } else {
            if (isFirst) everWanted.clear();
            isFirst = false;
            for (const [nth, isWanted] of each.wanted.entries()) if (isWanted) everWanted.add(nth);
            if (each.kind === 'select') disk.select(each.wanted);
            else await disk.restart(each.wanted);
          }
          const sorted = [...written].sort((a, b) => a - b);
          assert.deepEqual(await disk.check(), sorted);
          for (const piece of sorted) {
            const wanted = disk.whole.slice(piece * PIECE, (piece + 1) * PIECE);
            assert.deepEqual(await disk.read(piece), wanted);
          }
          for (const nth of sizes.keys()) {
            if (!everWanted.has(nth)) assert.equal(fs.existsSync(disk.pathOf(nth)), false);
          }
        }
        disk.select(sizes.map(() => true));
        assert.equal(disk.hasPartFile, false);
        assert.deepEqual(
          await disk.check(),
          [...written].sort((a, b) => a - b),
        );
      } finally {
        await disk.store.close();
        fs.rmSync(root, { recursive: true, force: true });
      }
    }),
    { numRuns: 150 },
  );
});

test('a part file that is torn, or of another torrent, is as good as none', async (t) => {
  const disk = diskOf(t, [15, 15]);
  disk.select([true, false]);
  await disk.write(0);
  await disk.write(1);
  const path = join(disk.layout.root, '.parts');
  const good = fs.readFileSync(path);
  const other = Buffer.from(good);
  other.writeUInt32BE(7, 8);
  for (const bytes of [good.subarray(0, 20), other, Buffer.alloc(0)]) {
    fs.writeFileSync(path, bytes);
    await disk.restart([true, false]);
    assert.deepEqual(await disk.check(), [0]);
  }
  const far = Buffer.from(good);
  far.writeUInt32BE(0xffffffff, 20);
  fs.writeFileSync(path, far);
  await disk.restart([true, true]);
  assert.deepEqual(await disk.check(), [0]);
});

test('a resume record is not believed when the part file has changed', async (t) => {
  const disk = diskOf(t, [15, 15]);
  disk.select([true, false]);
  await disk.write(1);
  const { layout, pieceCount } = disk;
  const target = { infoHash: 'ab', layout, pieceCount };
  const have = new Bitfield(pieceCount);
  have.set(1);
  const record = await makeResume(target, have, false);
  assert.deepEqual(await piecesOf(record, target), have);
  fs.appendFileSync(join(layout.root, '.parts'), 'x');
  assert.equal(await piecesOf(record, target), null);
  fs.rmSync(join(layout.root, '.parts'));
  assert.equal(await piecesOf(record, target), null);
});

test('a folder in the place of the part file is told in one line', async (t) => {
  const disk = diskOf(t, [15, 15]);
  disk.select([true, false]);
  fs.mkdirSync(join(disk.layout.root, '.parts'));
  const failure = await new Promise((resolve) =>
    disk.store.writePiece(1, disk.whole.slice(10, 20), resolve),
  );
  assert.ok(failure instanceof Error && /is in the way/.test(failure.message));
});
