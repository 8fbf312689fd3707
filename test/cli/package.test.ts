/** What `npm pack` makes, unpacked somewhere else: it holds what it needs, and works. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { type Desk, makeDesk, portOf } from './run.ts';

const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

let desk: Desk;

before(async () => {
  desk = await makeDesk('package');
  execFileSync('npm', ['pack', '--pack-destination', desk.at()], { cwd: ROOT, stdio: 'ignore' });
  const archive = (await readdir(desk.at())).find((name) => name.endsWith('.tgz')) ?? '';
  await mkdir(desk.at('installed'));
  execFileSync('tar', ['-xzf', desk.at(archive), '-C', desk.at('installed')]);
  await symlink(`${ROOT}node_modules`, desk.at('installed', 'node_modules'));
  process.env['BIDWIDTH_PROGRAM'] = desk.at('installed', 'package', 'bin', 'bidwidth.js');
});

after(() => desk[Symbol.asyncDispose]());

test('the package holds the program and its documents, no sources and no tests', async () => {
  const inside = await readdir(desk.at('installed', 'package'));
  assert.deepEqual(inside.sort(), [
    ...['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md'],
    ...['bin', 'dist', 'docs', 'package.json'],
  ]);
  const built = await readdir(desk.at('installed', 'package', 'dist'));
  assert.ok(built.every((name) => name.endsWith('.js')));
});

test('its program makes, seeds and downloads a torrent', async () => {
  await writeRandomFile(desk.at('source', 'a.bin'), 3_000_000);
  const made = await desk.run(['create', desk.at('source'), '--out', desk.at('a.torrent')]);
  assert.equal(made.code, 0, made.stderr);
  const seeder = desk.start([
    ...['seed', desk.at('a.torrent'), '--from', desk.at(), '--port', '0', '--json'],
  ]);
  const peer = `127.0.0.1:${await portOf(seeder)}`;
  const got = await desk.run([
    ...['download', desk.at('a.torrent'), '--to', desk.at('copy'), '--port', '0', '--peer', peer],
  ]);
  assert.equal(got.code, 0, got.stderr);
  assert.deepEqual(
    await digestTree(desk.at('copy', 'source')),
    await digestTree(desk.at('source')),
  );
});

test('code on demand and packages are found: a wallet is made', async () => {
  const env = { BIDWIDTH_PASSWORD: 'correct horse' };
  const made = await desk.run(['wallet', 'create', '--json'], { env });
  assert.equal(made.code, 0, made.stderr);
  assert.match(`${made.summary['address']}`, /^0x[0-9a-fA-F]{40}$/);
});
