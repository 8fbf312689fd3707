/** Two of our processes on loopback: seed and download, interrupted in every way. */
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Child } from '../support/children.ts';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { type Desk, makeDesk, portOf } from './run.ts';

const LENGTH = 6_000_000;

let desk: Desk;
let digest: Readonly<Record<string, string>>;
let infoHash: string;

before(async () => {
  desk = await makeDesk('transfer');
  await writeRandomFile(desk.at('source', 'film', 'a.bin'), LENGTH);
  await writeRandomFile(desk.at('source', 'film', 'b', 'c.bin'), 77_777);
  digest = await digestTree(desk.at('source', 'film'));
  const made = await desk.run([
    ...['create', desk.at('source', 'film'), '--out', desk.at('film.torrent'), '--json'],
  ]);
  assert.equal(made.code, 0, made.stderr);
  infoHash = `${made.summary['infoHashV1']}`;
});

after(() => desk[Symbol.asyncDispose]());

test('a torrent is downloaded, and again at once without asking anybody', async () => {
  const { seeder, peer } = await seed();
  const first = await desk.run(download('plain', peer));
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(await digestTree(desk.at('plain', 'film')), digest);
  assert.equal(first.summary['ok'], true);
  assert.equal(first.summary['infoHash'], infoHash);
  assert.equal(first.summary['bytes'], LENGTH + 77_777);
  assert.equal(first.summary['paidAtto'], '0');
  assert.ok(Number(first.summary['seconds']) > 0);
  await seeder.stop();
  const again = await desk.run(download('plain'));
  assert.equal(again.code, 0, again.stderr);
  assert.equal(again.summary['receivedBytes'], 0);
  assert.ok(!again.json.some((line) => line['event'] === 'checking'), 'nothing is hashed again');
});

test('a magnet link is downloaded, metadata first', async () => {
  const { peer } = await seed();
  const magnet = `magnet:?xt=urn:btih:${infoHash}&x.pe=${peer}`;
  const ended = await desk.run([
    ...['download', magnet, '--to', desk.at('magnet'), '--port', '0', '--json'],
  ]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await digestTree(desk.at('magnet', 'film')), digest);
  assert.ok(ended.json.some((line) => line['event'] === 'metadata' && line['name'] === 'film'));
});

test('what was changed on disk is found and fetched again', async () => {
  const { peer } = await seed();
  assert.equal((await desk.run(download('mended', peer))).code, 0);
  const file = await open(desk.at('mended', 'film', 'a.bin'), 'r+');
  await file.write(Buffer.from('changed by somebody else'), 0, null, 1_000_000);
  await file.close();
  const ended = await desk.run(download('mended', peer));
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await digestTree(desk.at('mended', 'film')), digest);
  assert.ok(ended.json.some((line) => line['event'] === 'checking'));
  assert.ok(Number(ended.summary['receivedBytes']) < LENGTH / 10, 'one piece, not everything');
});

test('Ctrl-C ends with 130, keeps what is here, and the same command continues', async () => {
  const { seeder, peer } = await seed(['--upload-limit', '2M']);
  const child = desk.start(download('stopped', peer));
  await child.waitForLine((line) => Number(line['goodPieces'] ?? 0) > 0 && 'phase' in line);
  const { code } = await child.stop('SIGINT');
  assert.equal(code, 130, child.output());
  const summary = child.lines().at(-1);
  assert.equal(summary?.['ok'], false);
  assert.equal(summary?.['code'], 'CLI_STOPPED');
  await seeder.stop();
  const { peer: fast } = await seed();
  const ended = await desk.run(download('stopped', fast));
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(!ended.json.some((line) => line['event'] === 'checking'), 'its record is believed');
  assert.ok(Number(ended.summary['receivedBytes']) < LENGTH, 'not from the beginning');
  assert.deepEqual(await digestTree(desk.at('stopped', 'film')), digest);
});

test('SIGTERM ends a download with 143', async () => {
  const child = desk.start(download('terminated'));
  await portOf(child);
  assert.equal((await child.stop('SIGTERM')).code, 143, child.output());
});

test('after kill -9 in the middle, the same command completes', async () => {
  const { seeder, peer } = await seed(['--upload-limit', '2M']);
  const child = desk.start(download('killed', peer));
  await child.waitForLine((line) => Number(line['goodPieces'] ?? 0) > 0 && 'phase' in line);
  await child.stop('SIGKILL');
  await seeder.stop();
  const { peer: fast } = await seed();
  const ended = await desk.run(download('killed', fast));
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await digestTree(desk.at('killed', 'film')), digest);
});

test('--timeout gives up, and people are told that no peer is known', async () => {
  const ended = await desk.run([...download('lonely'), '--timeout', '1']);
  assert.equal(ended.code, 1);
  assert.equal(ended.summary['code'], 'CLI_TIMEOUT');
});

test('a stopped seed has done its job: exit 0 and what it sent', async () => {
  const { seeder, peer } = await seed();
  assert.equal((await desk.run(download('served', peer))).code, 0);
  const { code } = await seeder.stop('SIGINT');
  assert.equal(code, 0, seeder.output());
  const summary = seeder.lines().at(-1);
  assert.equal(summary?.['ok'], true);
  assert.equal(summary?.['sentBytes'], LENGTH + 77_777);
});

test('--seed goes on after completion and serves others', async () => {
  const { seeder, peer } = await seed();
  const child = desk.start([...download('chain-1', peer), '--seed'], 'home-1');
  await child.waitForLine((line) => line['event'] === 'complete');
  await seeder.stop();
  const next = await desk.run(download('chain-2', `127.0.0.1:${await portOf(child)}`));
  assert.equal(next.code, 0, next.stderr);
  assert.deepEqual(await digestTree(desk.at('chain-2', 'film')), digest);
  assert.equal((await child.stop('SIGINT')).code, 0, child.output());
});

test('when nobody reads the output any more, a download ends without a word', async () => {
  const { code, stderr } = await desk.run(download('unread'), {
    under: ['sh', '-c', '"$@" | head -n 1; exit 7', 'sh'],
  });
  assert.equal(code, 7);
  assert.equal(stderr, '');
});

test('a full disk is one plain line', async () => {
  const { peer } = await seed();
  const ended = await desk.run(download('full', peer), {
    under: ['sh', '-c', 'ulimit -f 2000; exec "$@"', 'sh'],
  });
  assert.equal(ended.code, 1, ended.stdout);
  assert.equal(ended.summary['code'], 'PLATFORM_DISK_FULL');
  assert.match(ended.stderr, /^bidwidth: the disk is full at [^\n]+\n$/);
});

test('a plain download loads nothing that has to do with money or the router', async () => {
  const tell = `import { registerHooks } from 'node:module';
    import { writeSync } from 'node:fs';
    registerHooks({ resolve(name, context, next) {
      const found = next(name, context);
      writeSync(2, found.url + '\\n');
      return found;
    } });`;
  const hook = `--import=data:text/javascript,${encodeURIComponent(tell)}`;
  const { peer } = await seed();
  const ended = await desk.run(download('light', peer), { env: { NODE_OPTIONS: hook } });
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /src\/engine\/engine\.ts/, 'the transfer thread is watched, too');
  const heavy =
    /node_modules\/(viem|secp256k1|fastify|undici|@noble)|src\/(chain|exchange|payment|market)\/|daemon\/(money|nat)|platform\/nat/;
  assert.doesNotMatch(ended.stderr, heavy);
});

async function seed(
  options: readonly string[] = [],
): Promise<{ readonly seeder: Child; readonly peer: string }> {
  const seeder = desk.start(
    [
      ...['seed', desk.at('film.torrent'), '--from', desk.at('source')],
      ...['--port', '0', '--no-trackers', '--json', ...options],
    ],
    'seed-home',
  );
  const peer = `127.0.0.1:${await portOf(seeder)}`;
  await seeder.waitForLine((line) => line['event'] === 'seeding');
  return { seeder, peer };
}

function download(to: string, peer?: string): string[] {
  const peers = peer === undefined ? [] : ['--peer', peer];
  return [
    ...['download', desk.at('film.torrent'), '--to', desk.at(to), '--port', '0'],
    ...['--no-trackers', '--json', ...peers],
  ];
}
