import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
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

/** Claims of several threads, nodes or runs over one folder. */
function together(t: TestContext): { readonly folder: string; join(): FileClaims } {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bidwidth-claims-'));
  const all: FileClaims[] = [];
  t.after(() => {
    for (const claims of all) claims.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const joining = (): FileClaims => {
    const claims = new FileClaims([folder]);
    all.push(claims);
    return claims;
  };
  return { folder, join: joining };
}

test('what holds in one thread holds between threads', (t) => {
  const shared = together(t);
  const [one, two] = [shared.join(), shared.join()];
  one.take(A, uses('write', '/x'));
  assert.throws(() => two.take(B, uses('write', '/x')), isInUse);
  assert.throws(() => two.take(A, uses('read', '/x')), isInUse, 'the same torrent in both');
  one.settle('a');
  two.take(B, uses('read', '/x'));
  assert.throws(() => one.take(A, uses('write', '/x')), isInUse);
  two.close();
  one.take(A, uses('write', '/x'));
});

test('a file is one file by whatever way its path leads there', (t) => {
  const shared = together(t);
  const [one, two] = [shared.join(), shared.join()];
  fs.mkdirSync(join(shared.folder, 'real'));
  fs.symlinkSync('real', join(shared.folder, 'link'));
  one.take(A, uses('write', join(shared.folder, 'real', 'deep', 'er', 'x')));
  const same = uses('write', join(shared.folder, 'link', 'deep', 'er', 'x'));
  assert.throws(() => two.take(B, same), isInUse);
});

/** A process that tries to write `/x`, says what came of it, and lives until the test ends. */
async function elsewhere(t: TestContext, folder: string): Promise<Elsewhere> {
  const door = new URL('./file-claims.ts', import.meta.url).href;
  const program = `
    const { FileClaims } = await import(${JSON.stringify(door)});
    globalThis.claims = new FileClaims([${JSON.stringify(folder)}]);
    try {
      claims.take({ key: 'k', name: 'theirs' }, new Map([['/x', 'write']]));
      console.log('taken');
    } catch ({ code }) {
      console.log(code);
    }
    process.stdin.resume();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: line.toString().trim() };
}

interface Elsewhere {
  readonly child: ChildProcess;
  readonly said: string;
}

test('of a node that was killed no claim remains, nor its files', async (t) => {
  const shared = together(t);
  const { child, said } = await elsewhere(t, shared.folder);
  assert.equal(said, 'taken');
  const [one, two] = [shared.join(), shared.join()];
  const taken = new RegExp(
    `theirs in another node \\(process ${child.pid}\\), which is downloading`,
  );
  assert.throws(() => one.take(A, uses('read', '/x')), taken);
  child.kill('SIGKILL');
  await once(child, 'close');
  one.take(A, uses('write', '/x'));
  assert.throws(() => two.take(B, uses('write', '/x')), isInUse);
  one.close();
  two.close();
  assert.deepEqual(fs.readdirSync(shared.folder), ['files.sqlite']);
});

test('of many that start at once on a new folder one alone may write', async (t) => {
  const { folder } = together(t);
  const four = await Promise.all([1, 2, 3, 4].map(() => elsewhere(t, folder)));
  const refused = new Array<string>(3).fill('DAEMON_FILE_IN_USE');
  assert.deepEqual(four.map(({ said }) => said).sort(), [...refused, 'taken']);
});

test('where no folder can be written, the torrents of a thread are still kept apart', (t) => {
  const { folder } = together(t);
  fs.writeFileSync(join(folder, 'file'), '');
  const claims = new FileClaims([join(folder, 'file', 'below')]);
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
