/** `bidwidth stream`: a player reads, by ranges, what is still being downloaded. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { after, before, test } from 'node:test';
import type { Child, JsonLine } from '../support/children.ts';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { startShaper } from '../support/shaper.ts';
import { type Desk, makeDesk, portOf, takePort } from './run.ts';

const FILM_LENGTH = 6_000_000;
const SONG_LENGTH = 300_000;

let desk: Desk;
let infoHash: string;
let film: Buffer;
let song: Buffer;

before(async () => {
  desk = await makeDesk('stream');
  await writeRandomFile(desk.at('source', 'set', 'a', 'song.mp3'), SONG_LENGTH);
  await writeRandomFile(desk.at('source', 'set', 'film.mkv'), FILM_LENGTH);
  film = await readFile(desk.at('source', 'set', 'film.mkv'));
  song = await readFile(desk.at('source', 'set', 'a', 'song.mp3'));
  const made = await desk.run([
    ...['create', desk.at('source', 'set'), '--out', desk.at('set.torrent')],
    ...['--piece-length', '64K', '--json'],
  ]);
  assert.equal(made.code, 0, made.stderr);
  infoHash = `${made.summary['infoHashV1']}`;
});

after(() => desk[Symbol.asyncDispose]());

test('the largest film is played from its address while it comes, and stopping is no failure', async () => {
  const { peer } = await seed(['--upload-limit', '2M']);
  const child = desk.start(stream('play', peer), 'play-home');
  const { url, file } = await streaming(child);
  assert.deepEqual(file, { number: 2, path: 'set/film.mkv', lengthBytes: FILM_LENGTH });
  const { answer, body } = await get(url, 'bytes=5000000-5099999');
  assert.equal(answer.statusCode, 206);
  assert.equal(answer.headers['content-range'], `bytes 5000000-5099999/${FILM_LENGTH}`);
  assert.equal(answer.headers['content-type'], 'video/x-matroska');
  assert.ok(body.equals(film.subarray(5_000_000, 5_100_000)));
  assert.ok(!child.lines().some((line) => line['event'] === 'complete'), 'long before the end');
  const { code } = await child.stop('SIGINT');
  assert.equal(code, 0, child.output());
  assert.equal(child.lines().at(-1)?.['ok'], true);
});

test('several players at once read right bytes over a slow link, also where one left', async () => {
  const { port } = await seed();
  const target = { host: '127.0.0.1', port };
  await using link = await startShaper({ target, delayMs: 20, bytesPerSecond: 4_000_000 });
  const child = desk.start(stream('many', `127.0.0.1:${link.port}`), 'many-home');
  const { url } = await streaming(child);
  const left = await open(url, 'bytes=4000000-');
  await once(left, 'data');
  left.destroy();
  const ranges = [
    [3_000_000, 3_400_000],
    [3_200_000, 3_300_000],
    [0, 65_537],
    [FILM_LENGTH - 1, FILM_LENGTH],
  ] as const;
  await Promise.all(
    ranges.map(async ([start, end]) => {
      const { body } = await get(url, `bytes=${start}-${end - 1}`);
      assert.ok(body.equals(film.subarray(start, end)), `${start}`);
    }),
  );
  assert.equal((await child.stop('SIGINT')).code, 0, child.output());
});

test('with --exit-when-done a magnet is played whole, all of it is kept, and the command ends', async () => {
  const { peer } = await seed();
  const magnet = `magnet:?xt=urn:btih:${infoHash}&x.pe=${peer}`;
  const [, , ...options] = stream('whole');
  const args = ['stream', magnet, ...options, '--file', 'a/song.mp3', '--exit-when-done'];
  const child = desk.start(args, 'whole-home');
  const { url, file, playlist } = await streaming(child);
  assert.deepEqual(file, { number: 1, path: 'set/a/song.mp3', lengthBytes: SONG_LENGTH });
  const { answer, body } = await get(url);
  assert.equal(answer.statusCode, 200);
  assert.ok(body.equals(song));
  const list = (await get(`${playlist}`)).body.toString();
  assert.ok(list.includes(url) && list.includes('/1/film.mkv'));
  await child.success();
  assert.deepEqual(await digestTree(desk.at('whole', 'set')), await digestTree(source()));
  const summary = child.lines().at(-1);
  assert.equal(summary?.['ok'], true);
  assert.equal(summary?.['bytes'], FILM_LENGTH + SONG_LENGTH);
});

test('what is here already is played without any peer', async () => {
  const args = stream('whole', null, ['--file', '2']);
  const child = desk.start(args, 'whole-home');
  const { url } = await streaming(child);
  const { body } = await get(url, 'bytes=-1000');
  assert.ok(body.equals(film.subarray(-1000)));
  assert.equal((await child.stop('SIGINT')).code, 0, child.output());
});

test('a file that is not there and a port that is taken are one plain line each', async () => {
  const { peer } = await seed();
  const unknown = await desk.run(stream('none', peer, ['--file', '7']));
  assert.equal(unknown.code, 1);
  assert.equal(unknown.summary['code'], 'DAEMON_FILE_UNKNOWN');
  await using taken = await takePort();
  const busy = await desk.run(stream('none', peer, ['--http-port', `${taken.port}`]));
  assert.equal(busy.code, 1);
  assert.equal(busy.summary['code'], 'PLATFORM_PORT_TAKEN');
  assert.match(busy.stderr, /--http-port/);
});

interface Streaming extends JsonLine {
  readonly url: string;
}

function streaming(child: Child): Promise<Streaming> {
  return child.waitForLine((line) => line['event'] === 'streaming') as Promise<Streaming>;
}

function source(): string {
  return desk.at('source', 'set');
}

async function seed(
  options: readonly string[] = [],
): Promise<{ readonly port: number; readonly peer: string }> {
  const seeder = desk.start(
    [
      ...['seed', desk.at('set.torrent'), '--from', desk.at('source')],
      ...['--port', '0', '--no-trackers', '--json', ...options],
    ],
    'seed-home',
  );
  const port = await portOf(seeder);
  await seeder.waitForLine((line) => line['event'] === 'seeding');
  return { port, peer: `127.0.0.1:${port}` };
}

function stream(to: string, peer: string | null = null, more: readonly string[] = []): string[] {
  return [
    ...['stream', desk.at('set.torrent'), '--to', desk.at(to), '--port', '0', '--http-port', '0'],
    ...['--no-trackers', '--json', ...(peer === null ? [] : ['--peer', peer]), ...more],
  ];
}

async function open(url: string, range?: string): Promise<IncomingMessage> {
  const call = request(url, { agent: false, headers: range === undefined ? {} : { range } });
  call.end();
  return ((await once(call, 'response')) as [IncomingMessage])[0];
}

async function get(
  url: string,
  range?: string,
): Promise<{ readonly answer: IncomingMessage; readonly body: Buffer }> {
  const answer = await open(url, range);
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return { answer, body: Buffer.concat(parts) };
}
