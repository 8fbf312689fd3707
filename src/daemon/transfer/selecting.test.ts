import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeBencode } from '../../wire/index.ts';
import type { TorrentSpec } from './messages.ts';
import { startLoop } from './testing/test-loop.ts';

const PIECE = 64 * 1024;

/** Each file shares a piece with the next; the last one is empty. */
const LENGTHS: readonly number[] = [200_000, 300_000, 500_000, 0];

interface Stage {
  readonly bytes: Uint8Array;
  readonly infoHash: string;
  readonly files: readonly Uint8Array[];
  readonly to: string;
  readonly port: number;
  readonly resumeDir: string;
}

/** A folder of files with its torrent, and a loop that seeds it. */
async function stage(t: TestContext): Promise<Stage> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bidwidth-selecting-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const [from, to, resumeDir] = ['from', 'to', 'resume'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  fs.mkdirSync(join(from, 'box'), { recursive: true });
  const files = LENGTHS.map((length) => randomBytes(length));
  for (const [nth, file] of files.entries()) fs.writeFileSync(join(from, 'box', `f${nth}`), file);
  const whole = Buffer.concat(files);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += PIECE) {
    pieces.push(hash('sha1', whole.subarray(at, at + PIECE), 'buffer'));
  }
  const info = {
    files: LENGTHS.map((length, nth) => ({ length, path: [`f${nth}`] })),
    name: 'box',
    'piece length': PIECE,
    pieces: new Uint8Array(Buffer.concat(pieces)),
  };
  const bytes = encodeBencode({ info });
  const seed = await startLoop(t);
  await seed.loop.add({
    ...{ source: { kind: 'metainfo', bytes }, root: from, peers: [] },
    ...{ useTrackers: false, mustBeComplete: true },
  });
  await seed.until('complete');
  const infoHash = hash('sha1', encodeBencode(info));
  return { bytes, infoHash, files, to, port: seed.loop.port, resumeDir };
}

function specOf({ bytes, to, port }: Stage, wishes: Partial<TorrentSpec> = {}): TorrentSpec {
  return {
    source: { kind: 'metainfo', bytes },
    root: to,
    peers: [{ host: '127.0.0.1', port }],
    useTrackers: false,
    mustBeComplete: false,
    ...wishes,
  };
}

/** Which files are there, and that each of those is whole. */
function filesThere({ files, to }: Stage): readonly number[] {
  return [...files.keys()].filter((nth) => {
    const path = join(to, 'box', `f${nth}`);
    if (!fs.existsSync(path)) return false;
    assert.deepEqual(fs.readFileSync(path), files[nth], `file ${nth}`);
    return true;
  });
}

test('one file of several comes alone, the others are not made', async (t) => {
  const scene = await stage(t);
  const { loop, until } = await startLoop(t);
  await loop.add(specOf(scene, { filePriorities: [0, 4], otherFilesPriority: 0 }));
  await until('complete');
  assert.deepEqual(filesThere(scene), [1]);
  const [torrent] = (await loop.snapshot()).torrents;
  assert.equal(torrent?.phase, 'finished');
  // Pieces 3 to 7 have bytes of it.
  assert.deepEqual([torrent?.goodPieces, torrent?.wantedBytes], [5, 5 * PIECE]);
  assert.equal(loop.remainingBytes(scene.infoHash), 0);
});

test('files wanted later come later, and what was fetched of them is not fetched again', async (t) => {
  const scene = await stage(t);
  const { loop, until } = await startLoop(t);
  const key = await loop.add(specOf(scene, { filePriorities: [0, 4, 0, 0] }));
  await until('complete');
  await loop.prioritiseFiles(key, [4, 4, 0, 4]);
  await until('complete');
  assert.deepEqual(filesThere(scene), [0, 1, 3]);
  await loop.prioritiseFiles(key, []);
  await until('complete');
  assert.deepEqual(filesThere(scene), [0, 1, 2, 3]);
  const [torrent] = (await loop.snapshot()).torrents;
  assert.deepEqual([torrent?.phase, torrent?.receivedBytes], ['seeding', 1_000_000]);
  assert.deepEqual(fs.readdirSync(scene.to), ['box']);
});

test('what peers tell while the files are checked does not start the torrent again', async (t) => {
  const scene = await stage(t);
  const { loop, until } = await startLoop(t);
  // Files are checked in turn: this one, all zeros, takes longer than peers take to talk.
  const length = 512 * 2 ** 20;
  const pieces = new Uint8Array(20 * 512);
  const idle = encodeBencode({ info: { length, name: 'zeros', 'piece length': 2 ** 20, pieces } });
  fs.mkdirSync(scene.to);
  fs.writeFileSync(join(scene.to, 'zeros'), '');
  fs.truncateSync(join(scene.to, 'zeros'), length);
  const wishes = { source: { kind: 'metainfo', bytes: idle }, peers: [] } as const;
  await loop.add(specOf(scene, wishes));
  fs.mkdirSync(join(scene.to, 'box'));
  fs.writeFileSync(join(scene.to, 'box', 'f1'), scene.files[1] ?? '');
  await loop.add(specOf(scene));
  await until('complete');
  assert.deepEqual(filesThere(scene), [0, 1, 2, 3]);
  const isTold = until('metadata').then(() => true);
  assert.notEqual(await Promise.race([isTold, new Promise(setImmediate)]), true);
});

test('after a restart the part file is known, with a resume record and without one', async (t) => {
  const scene = await stage(t);
  for (const resumeDir of [scene.resumeDir, null]) {
    const to = join(scene.to, `${resumeDir}`.replaceAll('/', '-'));
    const wishes = { filePriorities: [0, 4, 0, 0], root: to };
    const first = await startLoop(t, { resumeDir });
    await first.loop.add(specOf(scene, wishes));
    await first.until('complete');
    await first.loop.stop();
    const again = await startLoop(t, { resumeDir });
    const key = await again.loop.add(specOf(scene, { ...wishes, peers: [] }));
    const news = await again.until('started');
    assert.ok(news.kind === 'started' && news.goodPieces === 5);
    await again.until('complete');
    await again.loop.remove(key);
    // Now all of it: what the part file held is in its files before the first peer is asked.
    await again.loop.add(specOf(scene, { root: to }));
    await again.until('complete');
    const [torrent] = (await again.loop.snapshot()).torrents;
    assert.equal(torrent?.receivedBytes, 1_000_000 - 5 * PIECE);
    assert.deepEqual(filesThere({ ...scene, to }), [0, 1, 2, 3]);
  }
});

test('a magnet’s files are selected before they are known', async (t) => {
  const scene = await stage(t);
  const { loop, until } = await startLoop(t);
  const source = { kind: 'magnet', text: `magnet:?xt=urn:btih:${scene.infoHash}` } as const;
  await loop.add(specOf(scene, { source, filePriorities: [0, 0, 4], otherFilesPriority: 0 }));
  await until('complete');
  assert.deepEqual(filesThere(scene), [2]);
});

test('the files that a magnet link selects come alone, unless more is asked for (BEP 53)', async (t) => {
  const scene = await stage(t);
  const text = `magnet:?xt=urn:btih:${scene.infoHash}&so=0,2-9`;
  const source = { kind: 'magnet', text } as const;
  const { loop, until } = await startLoop(t);
  const key = await loop.add(specOf(scene, { source }));
  await until('complete');
  assert.deepEqual(filesThere(scene), [0, 2, 3]);
  await loop.prioritiseFiles(key, []);
  await until('complete');
  assert.deepEqual(filesThere(scene), [0, 1, 2, 3]);
});

test('a file that is not there fails the torrent, or the call', async (t) => {
  const scene = await stage(t);
  const { loop, until } = await startLoop(t);
  const key = await loop.add(specOf(scene, { filePriorities: [0, 0, 0, 0, 4] }));
  const news = await until('failed');
  assert.ok(news.kind === 'failed' && news.code === 'DAEMON_FILE_UNKNOWN', JSON.stringify(news));
  await loop.remove(key);
  const next = await loop.add(specOf(scene));
  await until('complete');
  await assert.rejects(loop.prioritiseFiles(next, [4, 4, 4, 4, 4]), {
    code: 'DAEMON_FILE_UNKNOWN',
  });
  assert.deepEqual(filesThere(scene), [0, 1, 2, 3]);
});

test('pieces waited for come although nothing is wanted, and waits end one way or another', async (t) => {
  const scene = await stage(t);
  const { loop, until } = await startLoop(t);
  const key = await loop.add(specOf(scene, { filePriorities: [0, 0, 0, 0] }));
  await until('complete');
  await loop.whenHere(key, { firstPiece: 3, lastPiece: 4 }, 1_000);
  const [torrent] = (await loop.snapshot()).torrents;
  assert.equal(torrent?.goodPieces, 2);
  assert.deepEqual(filesThere(scene), []);
  await loop.prioritiseFiles(key, [4, 4, 4, 4]);
  await until('complete');
  await loop.whenHere(key, { firstPiece: 0, lastPiece: 15 }, 1_000);
  assert.deepEqual(filesThere(scene), [0, 1, 2, 3]);
  const code = 'DAEMON_PIECES_GIVEN_UP';
  const away = await startLoop(t);
  const alone = await away.loop.add(specOf(scene, { peers: [], root: join(scene.to, 'alone') }));
  const range = { firstPiece: 3, lastPiece: 4 };
  const forgotten = assert.rejects(away.loop.whenHere(alone, range, 1_000), { code });
  await away.until('started');
  const stopped = assert.rejects(away.loop.whenHere(alone, { ...range, lastPiece: 5 }, 1), {
    code,
  });
  await away.loop.forget(alone, range);
  await forgotten;
  await away.loop.remove(alone);
  await stopped;
});
