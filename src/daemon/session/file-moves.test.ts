import assert from 'node:assert/strict';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FileLayout, makeResume, piecesOf } from '../../platform/disk/index.ts';
import { AppError, Bitfield } from '../../units/index.ts';
import type { AddRequest, Session } from './index.ts';
import { type FakeTransfer, makeFolder, openFake, torrentOf } from './testing/session-scene.ts';

const LENGTH = 40_000;
const PIECE_COUNT = 3;

/** A torrent whose file lies in `old`, and a session. */
interface Scene {
  readonly home: string;
  readonly old: string;
  readonly next: string;
  readonly key: string;
  readonly request: AddRequest;
  readonly content: Uint8Array;
}

function scene(t: TestContext): Scene {
  const { path: home, remove } = makeFolder();
  t.after(remove);
  const [old, next] = [join(home, 'old'), join(home, 'next')];
  const content = new Uint8Array(LENGTH).fill(7);
  fs.mkdirSync(old);
  fs.writeFileSync(join(old, 'film'), content);
  const { bytes, key } = torrentOf('film', content);
  return {
    home,
    old,
    next,
    key,
    content,
    request: { source: { kind: 'metainfo', bytes }, root: old },
  };
}

/** The record that a transfer thread makes of a complete torrent. */
function targetAt({ key }: Scene, root: string) {
  const file = { path: ['film'], lengthBytes: LENGTH, offsetBytes: 0, isPad: false };
  const layout = new FileLayout(root, [file], join(root, `.${key}.parts`));
  return { infoHash: key, layout, pieceCount: PIECE_COUNT };
}

async function complete(at: Scene, transfer: FakeTransfer): Promise<void> {
  const have = new Bitfield(PIECE_COUNT);
  have.setAll();
  const record = await makeResume(targetAt(at, at.old), have, false);
  transfer.tell(at.key, { kind: 'resume', record });
  transfer.tell(at.key, { kind: 'complete' });
}

function assertAt({ old, next, content }: Scene, where: 'old' | 'next'): void {
  const [here, gone] = where === 'old' ? [old, next] : [next, old];
  assert.deepEqual(new Uint8Array(fs.readFileSync(join(here, 'film'))), content);
  assert.equal(fs.existsSync(join(gone, 'film')), false);
}

/** Resolves when no torrent is on its way any more. */
async function still(session: Session): Promise<void> {
  while (session.list().some(({ state }) => state === 'moving')) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a torrent at work rests while it is moved, and goes on without hashing', async (t) => {
  const at = scene(t);
  const { session, transfer } = await openFake(t, at.home);
  await session.add([at.request]);
  await complete(at, transfer);
  const moved = session.relocate([at.key], at.next);
  assert.equal(session.get(at.key)?.state, 'moving');
  await moved;
  assertAt(at, 'next');
  assert.equal(session.get(at.key)?.state, 'working');
  assert.equal(session.get(at.key)?.root, at.next);
  const mine = at.key.slice(0, 4);
  assert.deepEqual(transfer.calls.slice(1), [`rest ${mine}`, `goOn ${mine} ${at.next}`]);
  const { resume } = transfer.restarts.at(-1) ?? {};
  assert.ok(resume && (await piecesOf(resume, targetAt(at, at.next)))?.isComplete);
});

test('a sleeping torrent is moved in its sleep, and wakes at its new place', async (t) => {
  const at = scene(t);
  const { session, transfer } = await openFake(t, at.home);
  await session.add([{ ...at.request, isSaidToBeComplete: true }]);
  await session.relocate([at.key], at.next);
  assertAt(at, 'next');
  assert.equal(session.get(at.key)?.state, 'asleep');
  transfer.tell(at.key, { kind: 'wanted' });
  await session.setSequential(at.key, false);
  const spec = transfer.working.get(at.key);
  assert.equal(spec?.root, at.next);
  assert.ok(spec?.resume && (await piecesOf(spec.resume, targetAt(at, at.next)))?.isComplete);
});

test('a different file in the way refuses the move in one line; all stays', async (t) => {
  const at = scene(t);
  const { session, transfer } = await openFake(t, at.home);
  await session.add([at.request]);
  fs.mkdirSync(at.next);
  fs.writeFileSync(join(at.next, 'film'), 'mine');
  const isInTheWay = (failure: unknown): boolean =>
    failure instanceof AppError && failure.code === 'PLATFORM_FILE_IN_THE_WAY';
  await assert.rejects(session.relocate([at.key], at.next), isInTheWay);
  assert.equal(fs.readFileSync(join(at.next, 'film'), 'utf8'), 'mine');
  const torrent = session.get(at.key);
  assert.match(torrent?.moveTrouble ?? '', /film is there already and is a different file/);
  assert.equal(torrent?.root, at.old);
  assert.equal(torrent?.state, 'working');
  assert.equal(transfer.restarts.at(-1)?.root, at.old);
});

test('a torrent is moved when it is complete, and that is remembered', async (t) => {
  const at = scene(t);
  const first = await openFake(t, at.home);
  await first.session.add([at.request]);
  first.session.setMoveTo(at.key, at.next);
  await first.session.close();
  const { session, transfer } = await openFake(t, at.home);
  assertAt(at, 'old');
  await complete(at, transfer);
  await still(session);
  assertAt(at, 'next');
  assert.equal(session.get(at.key)?.root, at.next);
});

test('a file is renamed on disk, in the record, and for good', async (t) => {
  const at = scene(t);
  const first = await openFake(t, at.home);
  await first.session.add([at.request]);
  await complete(at, first.transfer);
  await first.session.rename(at.key, 0, 'shelf/movie');
  assert.deepEqual(new Uint8Array(fs.readFileSync(join(at.old, 'shelf', 'movie'))), at.content);
  assert.equal(fs.existsSync(join(at.old, 'film')), false);
  const names = [{ file: 0, path: 'shelf/movie' }];
  assert.deepEqual(first.transfer.restarts.at(-1)?.names, names);
  await first.session.relocate([at.key], at.next);
  await first.session.close();
  const { session, transfer } = await openFake(t, at.home);
  assert.deepEqual(session.get(at.key)?.names, names);
  assert.ok(fs.existsSync(join(at.next, 'shelf', 'movie')));
  transfer.tell(at.key, { kind: 'wanted' });
  await session.setSequential(at.key, true);
  assert.deepEqual(transfer.working.get(at.key)?.names, names);
});

test('names that leave the folder, or that are taken, are refused; nothing is moved', async (t) => {
  const at = scene(t);
  const { session, transfer } = await openFake(t, at.home);
  await session.add([at.request]);
  fs.writeFileSync(join(at.old, 'other'), 'mine');
  for (const [path, code] of [
    ['../film', 'DAEMON_FILE_NAME'],
    ['con', 'DAEMON_FILE_NAME'],
    ['other', 'PLATFORM_FILE_IN_THE_WAY'],
  ] as const) {
    const isRefused = (failure: unknown): boolean =>
      failure instanceof AppError && failure.code === code;
    await assert.rejects(session.rename(at.key, 0, path), isRefused, path);
  }
  assertAt(at, 'old');
  assert.equal(fs.readFileSync(join(at.old, 'other'), 'utf8'), 'mine');
  assert.deepEqual(transfer.restarts.at(-1)?.names, []);
});

test('a recheck forgets the record: at work at once, asleep by beginning again', async (t) => {
  const at = scene(t);
  const { session, transfer } = await openFake(t, at.home);
  await session.add([at.request]);
  await complete(at, transfer);
  await session.recheck(at.key);
  assert.deepEqual(transfer.restarts, [{ root: at.old, resume: null, mayDownload: true }]);
  assert.equal(session.get(at.key)?.state, 'working');
  transfer.tell(at.key, { kind: 'asleep' });
  transfer.working.delete(at.key);
  await session.recheck(at.key);
  const spec = transfer.working.get(at.key);
  assert.equal(spec?.resume, null);
  assert.equal(spec?.mustBeComplete, false);
});

test('a torrent that is removed while it moves stays whole and is forgotten', async (t) => {
  const at = scene(t);
  const { session } = await openFake(t, at.home);
  await session.add([at.request]);
  const moved = session.relocate([at.key], at.next).catch(() => {});
  await session.remove([at.key]);
  await moved;
  const places = [at.old, at.next].filter((root) => fs.existsSync(join(root, 'film')));
  assert.ok(places.length > 0);
  await session.close();
  const again = await openFake(t, at.home);
  assert.deepEqual(again.session.list(), []);
});

test('a magnet of which nothing is known yet goes elsewhere at once', async (t) => {
  const at = scene(t);
  const { session, transfer } = await openFake(t, at.home);
  const source = { kind: 'magnet', text: `magnet:?xt=urn:btih:${at.key}` } as const;
  await session.add([{ source, root: at.old }]);
  await session.relocate([at.key], at.next);
  assert.equal(session.get(at.key)?.root, at.next);
  assert.equal(transfer.restarts.at(-1)?.root, at.next);
  assert.ok(fs.existsSync(dirname(at.next)));
});
