import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeBencode } from '../../wire/index.ts';
import { openReal } from './testing/session-real.ts';
import { makeFolder } from './testing/session-scene.ts';

const NAMES = ['a', 'b', 'c'] as const;
const SIZE = 16_384;

test('a link that selects files gets these alone, in this run and in the next (BEP 53)', async (t) => {
  const { path, remove } = makeFolder();
  t.after(remove);
  const from = join(path, 'from');
  fs.mkdirSync(join(from, 'films'), { recursive: true });
  const contents = NAMES.map((name) => {
    const content = randomBytes(SIZE);
    fs.writeFileSync(join(from, 'films', name), content);
    return content;
  });
  const info = {
    files: NAMES.map((name) => ({ length: SIZE, path: [name] })),
    name: 'films',
    'piece length': SIZE,
    pieces: Buffer.concat(contents.map((content) => hash('sha1', content, 'buffer'))),
  };
  const key = hash('sha1', encodeBencode(info));
  const seeder = await openReal(t, join(path, 'seeder'));
  const source = { kind: 'metainfo', bytes: encodeBencode({ info }) } as const;
  await seeder.session.add([{ source, root: from, isSaidToBeComplete: true }]);

  const [home, to] = [join(path, 'home'), join(path, 'to')];
  const text = `magnet:?xt=urn:btih:${key}&so=0,2`;
  const peers = [{ host: '127.0.0.1', port: seeder.port }];
  const first = await openReal(t, home);
  await first.session.add([{ source: { kind: 'magnet', text }, root: to, peers }]);
  await first.until('complete');
  assert.deepEqual(fs.readdirSync(join(to, 'films')), ['a', 'c']);
  await first.session.close();

  // What was selected is fetched again when it is lost; what was not is still not wanted.
  fs.rmSync(join(to, 'films', 'c'));
  const second = await openReal(t, home);
  const priorities = second.session.get(key)?.filePriorities;
  assert.deepEqual(priorities, [4, 0, 4]);
  // It is complete as far as is known, and sleeps: saying it again makes it look.
  await second.session.prioritise(key, priorities ?? []);
  await second.until('complete');
  assert.deepEqual(fs.readdirSync(join(to, 'films')), ['a', 'c']);
});
