/**
 * Torrents over data that is there already, in part or shared with others by links or by another
 * torrent: what is right is used, what others have is never changed.
 */
import assert from 'node:assert/strict';
import { copyFile, link, mkdir, open, readFile, rm, symlink, truncate } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { type Desk, makeDesk, portOf } from '../cli/run.ts';
import { digestTree, sha256OfFile, writeRandomFile } from '../support/files.ts';

const PLAIN = ['--port', '0', '--no-trackers', '--json'];

let desk: Desk;
let peer = '';
let digest: Readonly<Record<string, string>>;

before(async () => {
  desk = await makeDesk('shared');
  for (const [name, length] of [
    ['a', 400_000],
    ['b', 600_000],
    ['c', 200_000],
  ] as const) {
    await writeRandomFile(desk.at('source', 'box', name), length);
  }
  digest = await digestTree(desk.at('source', 'box'));
  for (const [file, tracker] of [
    ['t', 'http://one.example/announce'],
    ['u', 'http://two.example/announce'],
  ] as const) {
    const out = ['--out', desk.at(`${file}.torrent`), '--tracker', tracker];
    const extra = file === 'u' ? ['--private'] : [];
    const made = await desk.run(['create', desk.at('source', 'box'), ...out, ...extra]);
    assert.equal(made.code, 0, made.stderr);
  }
  const seeder = desk.start(seed('t', 'source'), 'seed-home');
  peer = `127.0.0.1:${await portOf(seeder)}`;
  await seeder.waitForLine((line) => line['event'] === 'seeding');
});

after(() => desk[Symbol.asyncDispose]());

test('the same data under another torrent is checked and seeded, without a download', async () => {
  const child = desk.start(seed('u', 'source'), 'cross-home');
  await child.waitForLine((line) => line['event'] === 'seeding');
  await child.stop('SIGINT');
  assert.deepEqual(await digestTree(desk.at('source', 'box')), digest);
});

test('hard links and links to files are read as they are', async () => {
  await mkdir(desk.at('linked', 'box'), { recursive: true });
  await link(desk.at('source', 'box', 'a'), desk.at('linked', 'box', 'a'));
  await symlink(desk.at('source', 'box', 'b'), desk.at('linked', 'box', 'b'));
  await copyFile(desk.at('source', 'box', 'c'), desk.at('linked', 'box', 'c'));
  const child = desk.start(seed('u', 'linked'), 'linked-home');
  await child.waitForLine((line) => line['event'] === 'seeding');
  await child.stop('SIGINT');
});

test('what is there in part is completed; who else has the file keeps it as it was', async () => {
  await mkdir(desk.at('part', 'box'), { recursive: true });
  await mkdir(desk.at('theirs'));
  for (const name of ['a', 'b']) {
    await copyFile(desk.at('source', 'box', name), desk.at('theirs', name));
    await spoil(desk.at('theirs', name));
  }
  const theirs = await digestTree(desk.at('theirs'));
  await link(desk.at('theirs', 'a'), desk.at('part', 'box', 'a'));
  await symlink(desk.at('theirs', 'b'), desk.at('part', 'box', 'b'));
  const ended = await desk.run(download('part'));
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await digestTree(desk.at('part', 'box')), digest);
  assert.deepEqual(await digestTree(desk.at('theirs')), theirs);
  const received = Number(ended.summary['receivedBytes']);
  assert.ok(received < 700_000, `${received} bytes for two bad pieces and a missing file`);
});

test('of two nodes that would write the same files the second is refused', async () => {
  const alone = download('both').filter((option) => option !== '--peer' && option !== peer);
  const first = desk.start(alone, 'first-home');
  await first.waitForLine((line) => line['event'] === 'started');
  for (const torrent of ['t', 'u']) {
    const args = ['download', desk.at(`${torrent}.torrent`), '--to', desk.at('both'), ...PLAIN];
    const ended = await desk.run(args, { home: 'second-home' });
    assert.equal(ended.code, 1, ended.stdout);
    assert.equal(ended.summary['code'], 'DAEMON_FILE_IN_USE');
    const owner = `box in another node \\(process ${first.pid}\\)`;
    const line = `^bidwidth: .*/a belongs to ${owner}, which is downloading it: [^\\n]+\\n$`;
    assert.match(ended.stderr, new RegExp(line));
  }
  await first.stop('SIGKILL');
  const ended = await desk.run(download('both'), { home: 'second-home' });
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await digestTree(desk.at('both', 'box')), digest);
});

test('seed says what is missing of data that is not whole', async () => {
  assert.equal((await desk.run(download('lacking'), { home: 'lacking-home' })).code, 0);
  await rm(desk.at('lacking', 'box', 'a'));
  await truncate(desk.at('lacking', 'box', 'b'), 100_000);
  await spoil(desk.at('lacking', 'box', 'c'));
  const ended = await desk.run(seed('t', 'lacking'), { home: 'lacking-home' });
  assert.equal(ended.code, 1);
  assert.equal(ended.summary['code'], 'DAEMON_DATA_INCOMPLETE');
  const line = `${ended.summary['error']}`;
  assert.match(line, /box\/a is missing, box\/b is too short, box\/c is wrong in part/);
  assert.equal((await readFile(desk.at('lacking', 'box', 'b'))).length, 100_000);
});

test('--allocate full takes the room before the first byte; the copy is whole', async () => {
  const ended = await desk.run([...download('full'), '--allocate', 'full'], { home: 'full-home' });
  assert.equal(ended.code, 0, ended.stderr);
  const events = ended.json.map((line) => line['event']);
  assert.ok(events.indexOf('allocating') >= 0);
  assert.ok(events.indexOf('allocating') < events.indexOf('started'));
  assert.deepEqual(await digestTree(desk.at('full', 'box')), digest);
  const sparse = await desk.run([...download('holes'), '--allocate', 'sparse'], { home: 'h' });
  assert.equal(sparse.code, 0, sparse.stderr);
  assert.equal(sha256OfFile(desk.at('holes', 'box', 'b')), digest['b']);
});

function download(to: string): readonly string[] {
  return ['download', desk.at('t.torrent'), '--to', desk.at(to), '--peer', peer, ...PLAIN];
}

function seed(torrent: string, from: string): readonly string[] {
  return ['seed', desk.at(`${torrent}.torrent`), '--from', desk.at(from), ...PLAIN];
}

async function spoil(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Buffer.from('spoiled'), 0, null, 100_000);
  await file.close();
}
