import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTorrent } from '../torrents/index.ts';
import { startLoop } from '../transfer/testing/test-loop.ts';
import { openReal } from './testing/session-real.ts';
import { makeFolder, torrentOf } from './testing/session-scene.ts';

/** A hundred torrents whose data lies in `from`. */
function hundred(from: string): { bytes: Uint8Array; key: string; content: Uint8Array }[] {
  fs.mkdirSync(from, { recursive: true });
  return Array.from({ length: 100 }, (_, nth) => {
    const content = randomBytes(30_000);
    fs.writeFileSync(join(from, `file ${nth}`), content);
    return { content, ...torrentOf(`file ${nth}`, content) };
  });
}

test('one of a hundred sleeping torrents wakes for a peer; the others sleep on', async (t) => {
  const { path, remove } = makeFolder();
  t.after(remove);
  const from = join(path, 'from');
  const torrents = hundred(from);
  const seed = await openReal(t, join(path, 'seed'));
  await seed.session.add(
    torrents.map(({ bytes }) => ({
      source: { kind: 'metainfo', bytes },
      root: from,
      isSaidToBeComplete: true,
    })),
  );
  assert.ok(seed.session.list().every(({ state }) => state === 'asleep'));
  const wanted = torrents[42];
  assert.ok(wanted);
  const leech = await openReal(t, join(path, 'leech'));
  const to = join(path, 'to');
  const peers = [{ host: '127.0.0.1', port: seed.port }];
  const source = { kind: 'metainfo', bytes: wanted.bytes } as const;
  await leech.session.add([{ source, root: to, peers }]);
  await leech.until('complete');
  assert.ok(fs.readFileSync(join(to, 'file 42')).equals(wanted.content));
  const awake = seed.session.list().filter(({ state }) => state === 'working');
  assert.deepEqual(
    awake.map(({ key }) => key),
    [wanted.key],
  );
});

test('a sleeping torrent whose file changed is found out when it is asked for', async (t) => {
  const { path, remove } = makeFolder();
  t.after(remove);
  const from = join(path, 'from');
  const [torrent] = hundred(from);
  assert.ok(torrent);
  const source = { kind: 'metainfo', bytes: torrent.bytes } as const;
  const seed = await openReal(t, join(path, 'seed'));
  await seed.session.add([{ source, root: from, isSaidToBeComplete: true }]);
  fs.writeFileSync(join(from, 'file 0'), new Uint8Array(30_000));
  const leech = await openReal(t, join(path, 'leech'));
  const peers = [{ host: '127.0.0.1', port: seed.port }];
  await leech.session.add([{ source, root: join(path, 'to'), peers }]);
  await seed.until('failed');
  assert.match(seed.session.list()[0]?.failure ?? '', /holds 0 of 2 pieces/);
});

// Known by its v1 name alone, it did not hear who came by the other, nor was it announced by it.
test('a hybrid that sleeps since the start wakes for a peer that knows its v2 name', async (t) => {
  const { path, remove } = makeFolder();
  t.after(remove);
  const content = randomBytes(50_000);
  fs.writeFileSync(join(path, 'film'), content);
  const made = await makeTorrent({
    ...{ path: join(path, 'film'), out: join(path, 'film.torrent'), isForced: false },
    ...{ version: 'hybrid', pieceLengthBytes: null, name: null, extras: {} },
  });
  const home = join(path, 'seed');
  const first = await openReal(t, home);
  const bytes = fs.readFileSync(made.path);
  const source = { kind: 'metainfo', bytes } as const;
  await first.session.add([{ source, root: path, isSaidToBeComplete: true }]);
  await first.session.close();
  const second = await openReal(t, home);
  assert.equal(second.session.list()[0]?.state, 'asleep');
  for (const encryption of ['off', 'require'] as const) {
    const { loop, until } = await startLoop(t, { encryption });
    const text = `magnet:?xt=urn:btmh:1220${made.infoHashV2}`;
    const root = join(path, encryption);
    const peers = [{ host: '127.0.0.1', port: second.port }];
    const rest = { root, peers, useTrackers: false, mustBeComplete: false };
    await loop.add({ source: { kind: 'magnet', text }, ...rest });
    await until('complete');
    assert.ok(fs.readFileSync(join(root, 'film')).equals(content));
    await second.session.pause([made.infoHashV1 ?? '']);
    await second.session.resume([made.infoHashV1 ?? '']);
    assert.equal(second.session.list()[0]?.state, 'asleep');
  }
});
