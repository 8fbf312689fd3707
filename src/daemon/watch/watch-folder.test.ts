import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AddOutcome, AddRequest } from '../session/index.ts';
import { makeFolder, torrentOf } from '../session/testing/session-scene.ts';
import { WatchFolder, type WatchNews, type WatchOptions } from './watch-folder.ts';

const MAGNET = `magnet:?xt=urn:btih:${'cd'.repeat(20)}`;

/** A watched folder, what was added from it, and what was said. */
function scene(t: TestContext, options: Partial<WatchOptions> = {}) {
  const { path, remove } = makeFolder();
  const folder = join(path, 'watched');
  fs.mkdirSync(folder);
  const added: AddRequest[] = [];
  const news: WatchNews[] = [];
  let wake = (): void => {};
  let answer: (request: AddRequest) => AddOutcome = ({ source }) => {
    const bytes = source.kind === 'metainfo' ? source.bytes : null;
    // `d…e` is a whole dictionary here, as a torrent file is.
    const isWhole = bytes === null || (bytes[0] === 0x64 && bytes.at(-1) === 0x65);
    return isWhole ? { ok: true, key: '' } : { ok: false, code: 'WIRE_BENCODE', line: 'cut off' };
  };
  const watch = new WatchFolder(
    { folder, root: path, ...options },
    {
      stillMs: 700,
      pollMs: 200,
      add: async (request) => {
        const outcome = answer(request);
        if (outcome.ok) added.push(request);
        return outcome;
      },
      tell: (one) => {
        news.push(one);
        wake();
      },
    },
  );
  t.after(async () => {
    await watch.stop();
    remove();
  });
  return {
    ...{ watch, folder, path, added, news },
    at: (name: string) => join(folder, name),
    names: () => fs.readdirSync(folder).toSorted(),
    answer: (next: typeof answer) => {
      answer = next;
    },
    async until(count: number): Promise<readonly string[]> {
      while (news.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return news.map(({ kind, path: file }) => `${kind} ${file.slice(folder.length + 1)}`);
    },
  };
}

const TORRENT = torrentOf('film', new Uint8Array(1000)).bytes;

test('files that are there at the start and files that come are added, and renamed', async (t) => {
  const { watch, at, names, added, until } = scene(t, { isPaused: true });
  fs.writeFileSync(at('first.torrent'), TORRENT);
  fs.writeFileSync(at('notes.txt'), 'nothing');
  watch.start();
  await until(1);
  fs.writeFileSync(at('second.TORRENT'), TORRENT);
  fs.writeFileSync(at('third.magnet'), `${MAGNET}\n`);
  assert.deepEqual((await until(3)).toSorted(), [
    'added first.torrent',
    'added second.TORRENT',
    'added third.magnet',
  ]);
  assert.deepEqual(names(), [
    'first.torrent.added',
    'notes.txt',
    'second.TORRENT.added',
    'third.magnet.added',
  ]);
  assert.equal(added.length, 3);
  assert.ok(added.every(({ isPaused }) => isPaused === true));
  const magnet = added.find(({ source }) => source.kind === 'magnet');
  assert.deepEqual(magnet?.source, { kind: 'magnet', text: MAGNET });
});

test('what was added can be deleted instead', async (t) => {
  const { watch, at, names, until } = scene(t, { afterwards: 'delete' });
  fs.writeFileSync(at('a.torrent'), TORRENT);
  watch.start();
  await until(1);
  assert.deepEqual(names(), []);
});

test('a file that is being written is waited for, and a link that may go on', async (t) => {
  const { watch, at, added, until } = scene(t);
  watch.start();
  const file = fs.openSync(at('slow.torrent'), 'w');
  fs.writeSync(file, TORRENT.subarray(0, 50));
  fs.writeFileSync(at('slow.magnet'), MAGNET.slice(0, -2));
  // Longer than a look takes, shorter than a file must be still to be broken.
  await new Promise((resolve) => setTimeout(resolve, 400));
  fs.writeSync(file, TORRENT.subarray(50));
  fs.closeSync(file);
  fs.writeFileSync(at('slow.magnet'), MAGNET);
  assert.deepEqual((await until(2)).toSorted(), ['added slow.magnet', 'added slow.torrent']);
  assert.ok(added.some(({ source }) => source.kind === 'magnet' && source.text === MAGNET));
});

test('a broken file is renamed when it has not changed for a while, with one line', async (t) => {
  const { watch, at, names, news, until } = scene(t);
  fs.writeFileSync(at('a.torrent'), TORRENT.subarray(0, 50));
  fs.writeFileSync(at('b.torrent'), '');
  fs.writeFileSync(at('c.magnet'), '');
  watch.start();
  await until(3);
  assert.deepEqual(names(), ['a.torrent.invalid', 'b.torrent.invalid', 'c.magnet.invalid']);
  assert.ok(news.every(({ line }) => /is renamed to \.invalid: [^\n]+$/.test(line)));
});

test('links out of the folder are followed, folders and pipes are not', async (t) => {
  const { watch, at, path, names, until } = scene(t);
  fs.writeFileSync(join(path, 'outside.torrent'), TORRENT);
  fs.symlinkSync(join(path, 'outside.torrent'), at('link.torrent'));
  fs.symlinkSync(join(path, 'nowhere'), at('dangling.torrent'));
  fs.mkdirSync(at('folder.torrent'));
  fs.writeFileSync(join(at('folder.torrent'), 'inside.torrent'), TORRENT);
  fs.symlinkSync('/dev/zero', at('endless.torrent'));
  watch.start();
  assert.deepEqual(await until(1), ['added link.torrent']);
  assert.deepEqual(names(), [
    'dangling.torrent',
    'endless.torrent',
    'folder.torrent',
    'link.torrent.added',
  ]);
  assert.ok(fs.existsSync(join(path, 'outside.torrent')), 'only the link was renamed');
});

test('a torrent that is here already is as good as added', async (t) => {
  const { watch, at, names, until, answer } = scene(t);
  answer(() => ({ ok: false, code: 'DAEMON_TORRENT_DUPLICATE', line: 'here already' }));
  fs.writeFileSync(at('a.torrent'), TORRENT);
  watch.start();
  await until(1);
  assert.deepEqual(names(), ['a.torrent.added']);
});

test('a folder that comes and goes is said once, and watched again', async (t) => {
  const { watch, folder, at, until } = scene(t);
  fs.rmdirSync(folder);
  watch.start();
  assert.equal((await until(1)).length, 1);
  fs.mkdirSync(folder);
  fs.writeFileSync(at('a.torrent'), TORRENT);
  assert.deepEqual((await until(2)).slice(1), ['added a.torrent']);
});
