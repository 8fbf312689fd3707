/**
 * Disks that fill up, cannot be written to, vanish, or are written to by others: a download waits
 * with a plain reason and goes on by itself, and what is wrong is never called complete. Full and
 * read-only disks are real ones, kept in memory, for which the test must be root.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import { type Desk, makeDesk, portOf } from '../cli/run.ts';
import type { Child } from '../support/children.ts';
import { digestTree, writeRandomFile } from '../support/files.ts';

const LENGTH = 6_000_000;

let desk: Desk;
let digest: Readonly<Record<string, string>>;

before(async () => {
  desk = await makeDesk('disk');
  await writeRandomFile(desk.at('source', 'film', 'a.bin'), LENGTH);
  digest = await digestTree(desk.at('source', 'film'));
  const made = await desk.run(['create', desk.at('source', 'film'), '--out', desk.at('t.torrent')]);
  assert.equal(made.code, 0, made.stderr);
});

after(() => desk[Symbol.asyncDispose]());

test('a full disk pauses a download until there is room again', async (t) => {
  const disk = await mountDisk(t, 'full', '9m');
  if (disk === null) return;
  await writeFile(desk.at('full', 'filler'), new Uint8Array(6_000_000));
  const child = desk.start(download('full', await seed()));
  const paused = await child.waitForLine(isPaused);
  assert.equal(paused['code'], 'PLATFORM_DISK_FULL');
  assert.match(
    `${paused['text']}`,
    /^paused: the disk is full at .*: free some space\. It goes on/,
  );
  await rm(desk.at('full', 'filler'));
  await assertComplete(child, 'full');
});

test('Ctrl-C ends a paused download with 130, and the same command continues', async (t) => {
  const disk = await mountDisk(t, 'stopped', '9m');
  if (disk === null) return;
  await writeFile(desk.at('stopped', 'filler'), new Uint8Array(6_000_000));
  const peer = await seed();
  const child = desk.start(download('stopped', peer));
  await child.waitForLine(isPaused);
  assert.equal((await child.stop('SIGINT')).code, 130, child.output());
  await rm(desk.at('stopped', 'filler'));
  await assertComplete(desk.start(download('stopped', peer)), 'stopped');
});

test('a read-only disk pauses a download until it can be written to', async (t) => {
  const disk = await mountDisk(t, 'fixed', '20m');
  if (disk === null) return;
  disk.remount('ro');
  const child = desk.start(download('fixed', await seed()));
  const paused = await child.waitForLine(isPaused);
  assert.match(`${paused['text']}`, /on a disk that is read-only/);
  disk.remount('rw');
  await assertComplete(child, 'fixed');
});

test('what we write ourselves is not taken for a change by others', async () => {
  const ended = await desk.run(download('quick', await seed()));
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(!ended.json.some(isPaused), ended.stdout);
});

test('a folder that is taken away pauses a download until it is back', async () => {
  const child = desk.start(download('moved', await seed('2M')));
  await child.waitForLine((line) => Number(line['goodPieces'] ?? 0) > 0 && 'phase' in line);
  await rename(desk.at('moved', 'film'), desk.at('elsewhere'));
  const paused = await child.waitForLine(isPaused);
  assert.equal(paused['code'], 'PLATFORM_FILE_MISSING');
  await rename(desk.at('elsewhere'), desk.at('moved', 'film'));
  await assertComplete(child, 'moved');
});

test('a download whose folder was deleted is never called complete', async () => {
  const child = desk.start(download('deleted', await seed('2M')));
  await child.waitForLine((line) => Number(line['goodPieces'] ?? 0) > 0 && 'phase' in line);
  await rm(desk.at('deleted'), { recursive: true });
  await child.waitForLine(isPaused);
  assert.equal((await child.stop('SIGINT')).code, 130, child.output());
  await assertComplete(desk.start(download('deleted', await seed())), 'deleted');
});

test('a seed whose file is changed by somebody else stops serving it and says so', async () => {
  await cp(desk.at('source'), desk.at('changed'), { recursive: true });
  const { child } = await startSeed('changed');
  const file = await open(desk.at('changed', 'film', 'a.bin'), 'r+');
  await file.write(Buffer.from('changed by somebody else'), 0, null, 1_000_000);
  await file.close();
  const paused = await child.waitForLine(isPaused);
  assert.equal(paused['code'], 'PLATFORM_FILE_CHANGED');
  const { code } = await child.ended;
  assert.equal(code, 1, child.output());
  assert.equal(child.lines().at(-1)?.['code'], 'DAEMON_DATA_INCOMPLETE');
});

function isPaused(line: Readonly<Record<string, unknown>>): boolean {
  return line['event'] === 'paused';
}

async function assertComplete(child: Child, to: string): Promise<void> {
  const { code } = await child.ended;
  assert.equal(code, 0, child.output());
  assert.deepEqual(await digestTree(desk.at(to, 'film')), digest);
}

/** A small disk at a folder of the desk; null, and the test is skipped, when it may not be made. */
async function mountDisk(
  t: TestContext,
  name: string,
  size: string,
): Promise<{ readonly remount: (how: 'ro' | 'rw') => void } | null> {
  const path = desk.at(name);
  await mkdir(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'pipe' });
  } catch {
    t.skip('making a disk in memory takes root and the right to mount');
    return null;
  }
  t.after(() => execFileSync('umount', ['--lazy', path]));
  return { remount: (how) => execFileSync('mount', ['-o', `remount,${how}`, path]) };
}

async function seed(limit?: string): Promise<string> {
  return (await startSeed('source', limit === undefined ? [] : ['--upload-limit', limit])).peer;
}

async function startSeed(
  from: string,
  options: readonly string[] = [],
): Promise<{ readonly child: Child; readonly peer: string }> {
  const child = desk.start(
    [
      ...['seed', desk.at('t.torrent'), '--from', desk.at(from)],
      ...['--port', '0', '--no-trackers', '--json', ...options],
    ],
    'seed-home',
  );
  const peer = `127.0.0.1:${await portOf(child)}`;
  await child.waitForLine((line) => line['event'] === 'seeding');
  return { child, peer };
}

function download(to: string, peer: string): string[] {
  return [
    ...['download', desk.at('t.torrent'), '--to', desk.at(to), '--port', '0'],
    ...['--no-trackers', '--json', '--peer', peer],
  ];
}
