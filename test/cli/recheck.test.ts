import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { type Desk, makeDesk, portOf } from './run.ts';

const LENGTH = 3_000_000;
const PLAIN = ['--port', '0', '--no-trackers', '--json'];

let desk: Desk;
let peer = '';

before(async () => {
  desk = await makeDesk('recheck');
  await writeRandomFile(desk.at('source', 'film', 'a.bin'), LENGTH);
  const made = await desk.run(['create', desk.at('source', 'film'), '--out', desk.at('t.torrent')]);
  assert.equal(made.code, 0, made.stderr);
  const seeder = desk.start(seed('source'), 'seed-home');
  peer = `127.0.0.1:${await portOf(seeder)}`;
  await seeder.waitForLine((line) => line['event'] === 'seeding');
});

after(() => desk[Symbol.asyncDispose]());

test('a change without a trace is found by --recheck, and fetched again', async () => {
  assert.equal((await desk.run(download())).code, 0);
  spoil(desk.at('to', 'film', 'a.bin'));
  const believed = await desk.run(download());
  assert.equal(believed.summary['receivedBytes'], 0, 'lengths and times are as they were');
  const checked = await desk.run([...download(), '--recheck']);
  assert.equal(checked.code, 0, checked.stderr);
  const received = Number(checked.summary['receivedBytes']);
  assert.ok(received > 0 && received < LENGTH, `${received}`);
  assert.deepEqual(await digestTree(desk.at('to')), await digestTree(desk.at('source')));
});

test('seed --recheck does not serve what is wrong', async () => {
  assert.equal((await desk.run(download('bad'))).code, 0);
  spoil(desk.at('bad', 'film', 'a.bin'));
  const ended = await desk.run([...seed('bad'), '--recheck']);
  assert.equal(ended.code, 1);
  assert.equal(ended.summary['code'], 'DAEMON_DATA_INCOMPLETE');
});

function download(to = 'to'): readonly string[] {
  return ['download', desk.at('t.torrent'), '--to', desk.at(to), '--peer', peer, ...PLAIN];
}

function seed(from: string): readonly string[] {
  return ['seed', desk.at('t.torrent'), '--from', desk.at(from), ...PLAIN];
}

/** Changes a byte and nothing that can be seen from outside. */
function spoil(path: string): void {
  // Node's times lack the nanoseconds that file systems have.
  execFileSync('touch', ['-r', path, `${path}.time`]);
  const file = openSync(path, 'r+');
  writeSync(file, 'spoiled', 1_000_000);
  closeSync(file);
  execFileSync('touch', ['-r', `${path}.time`, path]);
  rmSync(`${path}.time`);
}
