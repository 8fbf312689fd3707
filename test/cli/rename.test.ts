import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { type Desk, makeDesk, portOf } from './run.ts';

const PLAIN = ['--port', '0', '--no-trackers', '--json'];

let desk: Desk;
let peer = '';
/** Of both files, by their names in the torrent. */
let digest: Readonly<Record<string, string>>;

before(async () => {
  desk = await makeDesk('rename');
  await writeRandomFile(desk.at('source', 'box', 'a'), 300_000);
  await writeRandomFile(desk.at('source', 'box', 'b'), 500_000);
  digest = await digestTree(desk.at('source', 'box'));
  const made = await desk.run(['create', desk.at('source', 'box'), '--out', desk.at('t.torrent')]);
  assert.equal(made.code, 0, made.stderr);
  const seeder = desk.start(seed('source'), 'seed-home');
  peer = `127.0.0.1:${await portOf(seeder)}`;
  await seeder.waitForLine((line) => line['event'] === 'seeding');
});

after(() => desk[Symbol.asyncDispose]());

test('files get their names as they come, and others later; they are seeded by these', async () => {
  const first = await desk.run([...download('to'), '--rename', '2=box/sub/new']);
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(await digestTree(desk.at('to')), named({ a: 'box/a', b: 'box/sub/new' }));
  const again = await desk.run(download('to'));
  assert.equal(again.summary['receivedBytes'], 0, 'the names are remembered');
  const second = await desk.run([...download('to'), '--rename', '0=crate', '--rename', '2=b']);
  assert.equal(second.code, 0, second.stderr);
  assert.equal(second.summary['receivedBytes'], 0);
  assert.deepEqual(await digestTree(desk.at('to')), named({ a: 'crate/a', b: 'b' }));
  const seeder = desk.start(seed('to'), 'home');
  await seeder.waitForLine((line) => line['event'] === 'seeding');
  await seeder.stop('SIGINT');
});

test('names go with a torrent that is moved', async () => {
  const moved = await desk.run([
    ...[...download('in'), '--rename', '1=one'],
    ...['--move-to', desk.at('out')],
  ]);
  assert.equal(moved.code, 0, moved.stderr);
  assert.deepEqual(await digestTree(desk.at('out')), named({ a: 'one', b: 'box/b' }));
});

test('a name that is no path, or is taken, is one plain line, and nothing is lost', async () => {
  const bad = await desk.run([...download('bad'), '--rename', '1=../a']);
  assert.equal(bad.code, 1);
  assert.equal(bad.summary['code'], 'DAEMON_FILE_NAME');
  assert.match(bad.stderr + bad.stdout, /may not contain \\?"\.\.\\?"/);
  const usage = await desk.run([...download('bad'), '--rename', 'x=y']);
  assert.equal(usage.code, 2);
  assert.equal((await desk.run(download('kept'), { home: 'kept-home' })).code, 0);
  await writeFile(desk.at('kept', 'mine'), 'mine');
  const before = await digestTree(desk.at('kept'));
  const taken = await desk.run([...download('kept'), '--rename', '1=mine'], { home: 'kept-home' });
  assert.equal(taken.summary['code'], 'PLATFORM_FILE_IN_THE_WAY');
  assert.deepEqual(await digestTree(desk.at('kept')), before);
});

function named(names: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(names).map(([of, path]) => [path, digest[of]]));
}

function download(to: string): readonly string[] {
  return ['download', desk.at('t.torrent'), '--to', desk.at(to), '--peer', peer, ...PLAIN];
}

function seed(from: string): readonly string[] {
  return ['seed', desk.at('t.torrent'), '--from', desk.at(from), ...PLAIN];
}
