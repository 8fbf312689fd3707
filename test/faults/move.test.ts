/**
 * Downloads that are moved when they are complete, to another folder and to another disk: with
 * files in the way, and killed at any moment of it. Nothing is lost, and the same command goes on.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Desk, makeDesk, portOf } from '../cli/run.ts';
import { digestTree, writeRandomFile } from '../support/files.ts';

const ROUNDS = 6;

let desk: Desk;
/** On another disk than the desk, where there is another. */
let far: string;
let digest: Readonly<Record<string, string>>;

before(async () => {
  desk = await makeDesk('move');
  far = await mkdtemp(join(tmpdir(), 'bidwidth-far-'));
  await writeRandomFile(desk.at('source', 'film', 'a.bin'), 12_000_000);
  await writeRandomFile(desk.at('source', 'film', 'sub', 'b.bin'), 8_000_000);
  digest = await digestTree(desk.at('source', 'film'));
  const made = await desk.run(['create', desk.at('source', 'film'), '--out', desk.at('t.torrent')]);
  assert.equal(made.code, 0, made.stderr);
});

after(async () => {
  await desk[Symbol.asyncDispose]();
  await rm(far, { recursive: true, force: true });
});

test('a download is moved when it is complete, and seeded from there', async () => {
  const seeder = desk.start(seedFrom(desk.at('source')), 'seed-home');
  const peer = `127.0.0.1:${await portOf(seeder)}`;
  await seeder.waitForLine((line) => line['event'] === 'seeding');
  const child = desk.start([...download('in', desk.at('done')), '--seed', '--peer', peer]);
  await child.waitForLine((line) => line['event'] === 'complete');
  assert.deepEqual(await digestTree(desk.at('done', 'film')), digest);
  assert.deepEqual(await readdir(desk.at('in')), []);
  const port = await portOf(child);
  const second = await desk.run(
    [
      'download',
      desk.at('t.torrent'),
      '--to',
      desk.at('second'),
      ...PLAIN,
      '--peer',
      `127.0.0.1:${port}`,
    ],
    { home: 'second-home' },
  );
  assert.equal(second.code, 0, second.stderr);
  await child.stop('SIGINT');
  assert.match(`${child.lines().at(-1)?.['receivedBytes']}`, /^20000000$/);
});

test('a file in the way refuses the move; once it is gone the same command moves', async () => {
  await cp(desk.at('source'), desk.at('full'), { recursive: true });
  await writeRandomFile(desk.at('taken', 'film', 'a.bin'), 10);
  const refused = await desk.run(download('full', desk.at('taken')), { home: 'taken-home' });
  assert.equal(refused.code, 1);
  assert.equal(refused.summary['code'], 'PLATFORM_FILE_IN_THE_WAY');
  assert.match(`${refused.summary['error']}`, /a\.bin is there already and is a different file/);
  assert.deepEqual(await digestTree(desk.at('full', 'film')), digest);
  await rm(desk.at('taken'), { recursive: true });
  const moved = await desk.run(download('full', desk.at('taken')), { home: 'taken-home' });
  assert.equal(moved.code, 0, moved.stderr);
  assert.deepEqual(await digestTree(desk.at('taken', 'film')), digest);
  assert.equal(existsSync(desk.at('full', 'film')), false);
});

test('killed at any moment of the move, one place is whole, and the same command goes on', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const name = `round-${round}`;
    const to = round % 3 === 2 ? desk.at('near', name) : join(far, name);
    await cp(desk.at('source'), desk.at(name), { recursive: true });
    const child = desk.start(download(name, to), `${name}-home`);
    await child.waitForLine((line) => line['event'] === 'moving');
    await sleep(Math.random() * 200);
    await child.stop('SIGKILL');
    const whole = await Promise.all([desk.at(name), to].map(isWhole));
    assert.ok(whole.includes(true), `round ${round}: neither place is whole`);
    const again = await desk.run(download(name, to), { home: `${name}-home` });
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(await digestTree(join(to, 'film')), digest, `round ${round}`);
    assert.deepEqual(await readdir(to), ['film'], 'nothing is left of the kill');
    assert.equal(existsSync(desk.at(name, 'film')), false);
  }
});

const PLAIN = ['--port', '0', '--no-trackers', '--json'];

function download(from: string, to: string): readonly string[] {
  return ['download', desk.at('t.torrent'), '--to', desk.at(from), '--move-to', to, ...PLAIN];
}

function seedFrom(root: string): readonly string[] {
  return ['seed', desk.at('t.torrent'), '--from', root, ...PLAIN];
}

async function isWhole(root: string): Promise<boolean> {
  const found = await digestTree(join(root, 'film')).catch(() => null);
  return Object.entries(digest).every(([path, hash]) => found?.[path] === hash);
}
