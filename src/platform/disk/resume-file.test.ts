import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Bitfield } from '../../units/index.ts';
import { PlatformError } from '../platform-error.ts';
import {
  dropResume,
  FileLayout,
  hasAnyFile,
  loadResume,
  makeResume,
  piecesOf,
  type ResumeTarget,
  saveResume,
} from './index.ts';

interface Recorded {
  readonly target: ResumeTarget & { readonly file: string };
  readonly have: Bitfield;
  readonly path: string;
}

/** A torrent of two files of 10 bytes on disk, and a record that says what is right of it. */
async function recorded(t: TestContext, isWriting = false): Promise<Recorded> {
  const root = fs.mkdtempSync(join(tmpdir(), 'bidwidth-resume-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const layout = new FileLayout(join(root, 'data'), [
    { path: ['a'], lengthBytes: 10, offsetBytes: 0, isPad: false },
    { path: ['pad'], lengthBytes: 6, offsetBytes: 10, isPad: true },
    { path: ['b'], lengthBytes: 10, offsetBytes: 16, isPad: false },
  ]);
  fs.mkdirSync(layout.root);
  fs.writeFileSync(join(layout.root, 'a'), 'aaaaaaaaaa');
  const target = { file: join(root, 'resume', 'x.json'), infoHash: 'ab', layout, pieceCount: 9 };
  const have = new Bitfield(9);
  have.set(0);
  have.set(8);
  await saveResume(target.file, await makeResume(target, have, isWriting));
  return { target, have, path: join(layout.root, 'a') };
}

/** The pieces a later run believes in. */
async function believed(target: Recorded['target']): Promise<Bitfield | null> {
  const record = await loadResume(target.file);
  return record && piecesOf(record, target);
}

test('what was right is believed while nothing has changed', async (t) => {
  const { target, have } = await recorded(t);
  assert.deepEqual(await believed(target), have);
  assert.deepEqual(fs.readdirSync(join(target.file, '..')), ['x.json']);
});

test('a file that changed, grew, went or came makes the record worthless', async (t) => {
  const changes: readonly ((path: string) => void)[] = [
    (path) => fs.utimesSync(path, new Date(), new Date(1e12)),
    (path) => fs.appendFileSync(path, 'b'),
    (path) => fs.rmSync(path),
    (path) => fs.writeFileSync(join(path, '..', 'b'), ''),
  ];
  for (const change of changes) {
    const { target, path } = await recorded(t);
    change(path);
    assert.equal(await believed(target), null);
  }
});

test('a killed process is believed although it wrote on after its last record', async (t) => {
  const { target, have, path } = await recorded(t, true);
  fs.appendFileSync(path, 'later');
  fs.writeFileSync(join(path, '..', 'b'), 'new');
  assert.deepEqual(await believed(target), have);
});

test('what came long after the last record is not ours, nor is a file that shrank or went', async (t) => {
  const late = (path: string): void => {
    const after = new Date(Date.now() + 60_000);
    fs.utimesSync(path, after, after);
  };
  const changes: readonly ((path: string) => void)[] = [
    late,
    (path) => {
      fs.writeFileSync(join(path, '..', 'b'), 'new');
      late(join(path, '..', 'b'));
    },
    (path) => fs.utimesSync(path, new Date(), new Date(1e12)),
    (path) => fs.truncateSync(path, 9),
    (path) => fs.rmSync(path),
  ];
  for (const change of changes) {
    const { target, path } = await recorded(t, true);
    change(path);
    assert.equal(await believed(target), null, String(change));
  }
});

test('after the machine itself went down, half-written torrents are hashed again', async (t) => {
  const { target } = await recorded(t, true);
  const record = await loadResume(target.file);
  assert.ok(record?.writing);
  const other = { ...record, writing: { ...record.writing, boot: 'another' } };
  assert.equal(await piecesOf(other, target), null);
});

test('a record of another torrent, folder or shape is ignored', async (t) => {
  const { target } = await recorded(t);
  assert.equal(await believed({ ...target, infoHash: 'cd' }), null);
  assert.equal(await believed({ ...target, pieceCount: 10 }), null);
  const moved = new FileLayout(`${target.layout.root}2`, target.layout.files);
  assert.equal(await believed({ ...target, layout: moved }), null);
  assert.equal(await believed({ ...target, file: `${target.file}2` }), null);
});

test('a torn or strange record is ignored, not an error', async (t) => {
  const { target } = await recorded(t);
  const whole = fs.readFileSync(target.file, 'utf8');
  for (let length = 0; length < whole.length; length += 7) {
    fs.writeFileSync(target.file, whole.slice(0, length));
    assert.equal(await believed(target), null, whole.slice(0, length));
  }
  const record = JSON.parse(whole) as Record<string, unknown>;
  for (const strange of [
    'null',
    '5',
    '[]',
    JSON.stringify({ ...record, version: 99 }),
    JSON.stringify({ ...record, files: 5 }),
    JSON.stringify({ ...record, files: null, writing: {} }),
    JSON.stringify({ ...record, pieces: 5 }),
    JSON.stringify({ ...record, pieces: null }),
    JSON.stringify({ ...record, pieces: '' }),
    JSON.stringify({ ...record, pieces: 'AAAA' }),
  ]) {
    fs.writeFileSync(target.file, strange);
    assert.equal(await believed(target), null, strange);
  }
});

test('a forgotten record is gone, and forgetting twice is fine', async (t) => {
  const { target } = await recorded(t);
  await dropResume(target.file);
  await dropResume(target.file);
  assert.equal(await believed(target), null);
});

test('a record that cannot be written says where', async (t) => {
  const { target, have } = await recorded(t);
  const record = await makeResume(target, have, false);
  fs.rmSync(join(target.file, '..'), { recursive: true });
  fs.writeFileSync(join(target.file, '..'), 'a file where the folder belongs');
  await assert.rejects(
    saveResume(target.file, record),
    (failure) => failure instanceof PlatformError,
  );
});

test('a torrent has files on disk when one of them has any bytes', async (t) => {
  const { target, path } = await recorded(t);
  assert.equal(await hasAnyFile(target.layout), true);
  fs.truncateSync(path, 0);
  assert.equal(await hasAnyFile(target.layout), false);
  fs.rmSync(path);
  assert.equal(await hasAnyFile(target.layout), false);
});
