import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '../../units/index.ts';
import { torrentOf } from '../session/testing/session-scene.ts';
import { FileClaims, type FileUse } from './file-claims.ts';
import { startLoop } from './testing/test-loop.ts';

const [A, B] = [
  { key: 'a', name: 'first' },
  { key: 'b', name: 'second' },
];

function uses(use: FileUse, ...paths: string[]): ReadonlyMap<string, FileUse> {
  return new Map(paths.map((path) => [path, use]));
}

function isInUse(failure: unknown): boolean {
  return failure instanceof AppError && failure.code === 'DAEMON_FILE_IN_USE';
}

test('two torrents may read the same files, one alone may write', () => {
  const claims = new FileClaims();
  claims.take(A, uses('read', '/x', '/y'));
  claims.take(B, uses('read', '/x'));
  assert.throws(() => claims.take(B, uses('write', '/z', '/x')), isInUse);
  claims.release('a');
  claims.take(B, uses('write', '/x'));
  assert.throws(() => claims.take(A, uses('read', '/x')), isInUse);
});

test('a torrent that is complete lets others read, and one that is refused holds nothing', () => {
  const claims = new FileClaims();
  claims.take(A, uses('write', '/x'));
  assert.throws(() => claims.take(B, uses('write', '/y', '/x')), isInUse);
  claims.take({ key: 'c', name: 'third' }, uses('write', '/y'));
  claims.settle('a');
  claims.take(B, uses('read', '/x'));
});

test('a torrent may claim anew what it holds', () => {
  const claims = new FileClaims();
  claims.take(A, uses('read', '/x'));
  claims.take(A, uses('write', '/x'));
  assert.throws(() => claims.take(B, uses('read', '/x')), isInUse);
});

test('a second torrent over files that are being downloaded is refused in one line', async (t) => {
  const root = fs.mkdtempSync(join(tmpdir(), 'bidwidth-claims-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const { loop, until } = await startLoop(t);
  const add = (fillByte: number): Promise<string> => {
    const { bytes } = torrentOf('film', new Uint8Array(50_000).fill(fillByte));
    const source = { kind: 'metainfo', bytes } as const;
    return loop.add({ source, root, peers: [], useTrackers: false, mustBeComplete: false });
  };
  const first = await add(1);
  await until('started');
  await add(2);
  const failed = await until('failed');
  assert.equal(failed.kind === 'failed' && failed.code, 'DAEMON_FILE_IN_USE');
  assert.match(
    failed.kind === 'failed' ? failed.line : '',
    /belongs to film, which is downloading/,
  );
  await loop.remove(first);
  await add(3);
  await until('started');
});
