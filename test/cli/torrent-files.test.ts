/** Making, describing and verifying torrents by command. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { writeRandomFile } from '../support/files.ts';
import { makeTorrent } from '../support/make-torrent.ts';
import { type Desk, makeDesk } from './run.ts';

let desk: Desk;

before(async () => {
  desk = await makeDesk('files');
  await writeRandomFile(desk.at('album', 'one.bin'), 300_001);
  await writeRandomFile(desk.at('album', 'sub', 'two.bin'), 16_384);
  await writeFile(desk.at('album', 'empty.txt'), '');
});

after(() => desk[Symbol.asyncDispose]());

test('create makes the same v1 torrent as an independent writer', async () => {
  const ours = await create(['--piece-length', '32K'], 'v1.torrent');
  const theirs = await makeTorrent({
    contentPath: desk.at('album'),
    torrentPath: desk.at('reference.torrent'),
    pieceLengthBytes: 32_768,
  });
  assert.equal(ours['infoHashV1'], theirs.infoHash);
  assert.equal(ours['infoHashV2'], null);
  assert.match(`${ours['magnet']}`, new RegExp(`^magnet:\\?xt=urn:btih:${theirs.infoHash}`));
});

for (const version of ['v1', 'v2', 'hybrid']) {
  test(`a ${version} torrent verifies against its files, and not against changed ones`, async () => {
    const torrent = `check-${version}.torrent`;
    await create([`--${version}`], torrent);
    const good = await desk.run(['verify', desk.at(torrent), '--in', desk.at(), '--json']);
    assert.equal(good.code, 0, good.stderr);
    const { pieceCount } = good.summary;
    assert.deepEqual(good.summary, { ok: true, goodPieces: pieceCount, pieceCount });
    await flipByte(desk.at('album', 'one.bin'), 20_000);
    const bad = await desk.run(['verify', desk.at(torrent), '--in', desk.at(), '--json']);
    await flipByte(desk.at('album', 'one.bin'), 20_000);
    assert.equal(bad.code, 1);
    assert.deepEqual(bad.summary, { ok: false, goodPieces: Number(pieceCount) - 1, pieceCount });
  });
}

test('the size of a torrent is that of its files, without padding', async () => {
  for (const version of ['v1', 'v2', 'hybrid']) {
    const made = await create([`--${version}`], `size-${version}.torrent`);
    assert.equal(made['totalBytes'], 316_385, version);
    assert.match(`${made['magnet']}`, /&xl=316385(&|$)/, version);
    const torrent = desk.at(`size-${version}.torrent`);
    const { summary } = await desk.run(['info', torrent, '--json']);
    assert.equal(summary['totalBytes'], 316_385, version);
  }
});

test('verify counts missing files as wrong pieces', async () => {
  await create([], 'missing.torrent');
  const ended = await desk.run([
    ...['verify', desk.at('missing.torrent'), '--in', desk.at('elsewhere'), '--json'],
  ]);
  assert.equal(ended.code, 1);
  assert.equal(ended.summary['goodPieces'], 0);
});

test('info says what create was told', async () => {
  await create(
    [
      ...['--hybrid', '--private', '--comment', 'for you', '--name', 'Album'],
      ...['--tracker', 'http://a.example/announce', '--tracker', 'udp://b.example:80'],
      ...['--web-seed', 'http://c.example/files/'],
    ],
    'told.torrent',
  );
  const { summary, code } = await desk.run(['info', desk.at('told.torrent'), '--json']);
  assert.equal(code, 0);
  assert.match(`${summary['infoHashV1']}`, /^[0-9a-f]{40}$/);
  assert.match(`${summary['infoHashV2']}`, /^[0-9a-f]{64}$/);
  assert.equal(summary['name'], 'Album');
  assert.equal(summary['private'], true);
  assert.equal(summary['comment'], 'for you');
  assert.deepEqual(summary['trackers'], ['http://a.example/announce', 'udp://b.example:80']);
  assert.deepEqual(summary['webSeeds'], ['http://c.example/files/']);
  assert.deepEqual(summary['files'], [
    { path: 'Album/empty.txt', lengthBytes: 0 },
    { path: 'Album/one.bin', lengthBytes: 300_001 },
    { path: 'Album/sub/two.bin', lengthBytes: 16_384 },
  ]);
});

test('info of a magnet link gives what it knows, and nulls', async () => {
  const hash = createHash('sha1').update('x').digest('hex');
  const link = `magnet:?xt=urn:btih:${hash}&dn=some%20name&tr=udp%3A%2F%2Ft.example%3A80`;
  const { summary, code } = await desk.run(['info', link, '--json']);
  assert.equal(code, 0);
  assert.equal(summary['infoHashV1'], hash);
  assert.equal(summary['infoHashV2'], null);
  assert.equal(summary['name'], 'some name');
  assert.deepEqual(summary['trackers'], ['udp://t.example:80']);
  for (const key of ['pieceLengthBytes', 'pieceCount', 'totalBytes', 'files', 'private']) {
    assert.equal(summary[key], null, key);
  }
});

test('--force replaces a torrent, and the torrent inside the folder is not part of it', async () => {
  await mkdir(desk.at('own'));
  await writeRandomFile(desk.at('own', 'a.bin'), 100);
  const args = ['create', desk.at('own'), '--out', desk.at('own', 'own.torrent')];
  assert.equal((await desk.run(args)).code, 0);
  const first = await readFile(desk.at('own', 'own.torrent'));
  await appendFile(desk.at('own', 'a.bin'), 'more');
  const second = await desk.run([...args, '--force', '--json']);
  assert.equal(second.code, 0, second.stderr);
  assert.equal(second.summary['fileCount'], 1);
  assert.notDeepEqual(await readFile(desk.at('own', 'own.torrent')), first);
});

test('a link that leads back to its folder does not make create go round in circles', async () => {
  await mkdir(desk.at('ring'));
  await writeRandomFile(desk.at('ring', 'a.bin'), 100);
  await symlink('.', desk.at('ring', 'again'));
  const ended = await desk.run([
    ...['create', desk.at('ring'), '--out', desk.at('ring.torrent'), '--json'],
  ]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.summary['fileCount'], 1);
});

test('no progress bar and no control sequence goes into a pipe', async () => {
  const ended = await desk.run(['create', desk.at('album'), '--out', desk.at('pipe.torrent')]);
  assert.equal(ended.code, 0);
  const control = /[\p{Cc}#]/u;
  assert.doesNotMatch((ended.stdout + ended.stderr).replaceAll('\n', ''), control);
});

async function create(
  options: readonly string[],
  out: string,
): Promise<Readonly<Record<string, unknown>>> {
  const ended = await desk.run([
    ...['create', desk.at('album'), '--out', desk.at(out), '--json', ...options],
  ]);
  assert.equal(ended.code, 0, ended.stderr);
  return ended.summary;
}

async function flipByte(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  byte[0] = (byte[0] ?? 0) ^ 0xff;
  await file.write(byte, 0, 1, position);
  await file.close();
}
