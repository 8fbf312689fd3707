import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { makeTorrent } from '../support/make-torrent.ts';
import { type Desk, makeDesk, portOf } from './run.ts';

/** Three files that share pieces with each other. */
const FILES: readonly Uint8Array[] = [300_000, 500_000, 700_000].map((size) => randomBytes(size));

let desk: Desk;
let infoHash = '';
let peer = '';

before(async () => {
  desk = await makeDesk('select');
  await mkdir(desk.at('source', 'box'), { recursive: true });
  for (const [nth, bytes] of FILES.entries()) {
    await writeFile(desk.at('source', 'box', `file-${nth + 1}`), bytes);
  }
  const made = await makeTorrent({
    contentPath: desk.at('source', 'box'),
    torrentPath: desk.at('box.torrent'),
    pieceLengthBytes: 65_536,
  });
  infoHash = made.infoHash;
  const seeder = desk.start(
    [
      ...['seed', desk.at('box.torrent'), '--from', desk.at('source')],
      ...['--port', '0', '--no-trackers', '--json'],
    ],
    'seed-home',
  );
  peer = `127.0.0.1:${await portOf(seeder)}`;
  await seeder.waitForLine((line) => line['event'] === 'seeding');
});

after(() => desk[Symbol.asyncDispose]());

test('info numbers the files from 1', async () => {
  const { stdout } = await desk.run(['info', desk.at('box.torrent')]);
  assert.match(stdout, /^2 +488 KiB {2}box\/file-2$/m);
});

test('--select downloads these files and makes no others; later the rest comes', async () => {
  const ended = await desk.run([...download('some'), '--select', '2']);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.summary['ok'], true);
  assert.deepEqual(await files('some'), ['file-2']);
  const wanted = Number(ended.summary['wantedBytes']);
  assert.ok(wanted >= 500_000 && wanted < 700_000, `${wanted}`);
  assert.equal(ended.summary['receivedBytes'], wanted);
  const rest = await desk.run(download('some'));
  assert.equal(rest.code, 0, rest.stderr);
  assert.equal(rest.summary['receivedBytes'], 1_500_000 - wanted);
  assert.deepEqual(await files('some'), ['file-1', 'file-2', 'file-3']);
  assert.deepEqual(await readdir(desk.at('some')), ['box'], 'the part file is gone');
});

test('files of a magnet link are selected, too, in sequence and by priority', async () => {
  const magnet = `magnet:?xt=urn:btih:${infoHash}&x.pe=${peer}`;
  const ended = await desk.run([
    ...['download', magnet, '--to', desk.at('magnet'), '--port', '0', '--json'],
    ...['--select', '1-2', '--priority', '2=7', '--sequential'],
  ]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await files('magnet'), ['file-1', 'file-2']);
});

test('a file that is not there, and a list that is none, are one plain line', async () => {
  const unknown = await desk.run([...download('none'), '--select', '1,4']);
  assert.equal(unknown.code, 1);
  assert.equal(unknown.summary['code'], 'DAEMON_FILE_UNKNOWN');
  assert.match(unknown.stderr, /^bidwidth: there is no file 4: the torrent has 3 files\n$/);
  const wrong = await desk.run([...download('none'), '--select', 'all']);
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /^bidwidth: [^\n]*1,3-5[^\n]*\n$/);
});

function download(to: string): string[] {
  return [
    ...['download', desk.at('box.torrent'), '--to', desk.at(to), '--port', '0'],
    ...['--no-trackers', '--json', '--peer', peer],
  ];
}

/** The files that came; each of them is whole. */
async function files(to: string): Promise<readonly string[]> {
  const names = (await readdir(desk.at(to, 'box'))).sort();
  for (const name of names) {
    const nth = Number(name.at(-1)) - 1;
    assert.deepEqual(
      new Uint8Array(await readFile(desk.at(to, 'box', name))),
      new Uint8Array(FILES[nth] ?? []),
      name,
    );
  }
  return names;
}
