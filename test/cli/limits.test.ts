/** Seeds that end by themselves, and limits by the hour, started the way a user does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writeRandomFile } from '../support/files.ts';
import { type Desk, makeDesk, portOf } from './run.ts';

let desk: Desk;

before(async () => {
  desk = await makeDesk('limits');
  await writeRandomFile(desk.at('source', 'film'), 3_000_000);
  const made = await desk.run([
    'create',
    desk.at('source', 'film'),
    '--out',
    desk.at('film.torrent'),
  ]);
  assert.equal(made.code, 0, made.stderr);
});

after(() => desk[Symbol.asyncDispose]());

function seed(...options: readonly string[]): string[] {
  const files = ['seed', desk.at('film.torrent'), '--from', desk.at('source')];
  return [...files, '--port', '0', '--no-trackers', ...options];
}

function download(to: string, ...options: readonly string[]): string[] {
  const files = ['download', desk.at('film.torrent'), '--to', desk.at(to)];
  return [...files, '--port', '0', '--no-trackers', ...options];
}

test('a seed ends when it has given back what it holds, and the other has all of it', async () => {
  const seeder = desk.start(seed('--ratio', '1', '--json'), 'seeder');
  const peer = `127.0.0.1:${await portOf(seeder)}`;
  const ended = await desk.run(download('to', '--peer', peer, '--json'));
  assert.equal(ended.code, 0, ended.stderr);
  const end = await seeder.waitForLine((line) => line['event'] === 'seeding-end');
  assert.equal(end['reason'], 'ratio');
  assert.equal((await seeder.ended).code, 0, seeder.output());
  assert.equal(seeder.lines().at(-1)?.['sentBytes'], 3_000_000);
});

test('a download goes on seeding for as long as was asked, and says why it ends', async () => {
  const seeder = desk.start(seed('--json'), 'seeder');
  const peer = `127.0.0.1:${await portOf(seeder)}`;
  const ended = await desk.run(download('on', '--peer', peer, '--seed', '--seed-time', '1s'));
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /seeding until it was seeded enough, or Ctrl-C/);
  assert.match(ended.stdout, /seeding ended: it was seeded for 1 s/);
  await seeder.stop();
});

test('a seed that nobody asks anything of ends', async () => {
  const ended = await desk.run(seed('--idle-time', '1s'));
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /seeding ended: nobody took anything for 1 s/);
});

test('a seed whose schedule says pause sends nothing; later lines and limits do not count', async () => {
  const schedule = ['--schedule', 'mon-sun up=pause', '--schedule', 'mon-sun up=1M'];
  const seeder = desk.start(seed(...schedule, '--upload-limit', '2M', '--json'), 'seeder');
  const peer = `127.0.0.1:${await portOf(seeder)}`;
  const ended = await desk.run(download('paused', '--peer', peer, '--timeout', '2', '--json'));
  assert.equal(ended.summary['code'], 'CLI_TIMEOUT');
  const last = ended.json.findLast((line) => line['event'] === 'progress');
  assert.equal(last?.['peers'], 1);
  assert.equal(last?.['receivedBytes'], 0);
  await seeder.stop();
});

test('limits that mean nothing are usage errors in one line', async () => {
  for (const [args, line] of [
    [seed('--ratio', '0'), /above 0/],
    [seed('--seed-time', '5'), /duration like/],
    [seed('--schedule', 'mon 8-9 up=1M'), /'8-9' where hours belong/],
    [download('x', '--ratio', '2'), /need --seed/],
  ] as const) {
    const { code, stderr } = await desk.run(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, line);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  }
});
