/** A super-seed of ours and two downloaders of libtorrent's that know each other (BEP 16). */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Child, startChild } from '../support/children.ts';
import { makeTempFolder, sha256OfFile } from '../support/files.ts';
import { canRun } from './availability.ts';
import { bidwidth, bidwidthCommand } from './clients/bidwidth.ts';
import { libtorrent, libtorrentCommand } from './clients/libtorrent.ts';
import { makeContent } from './content.ts';

const HOST = '127.0.0.1';
const CONTENT_BYTES = 16 * 1_048_576;
const TIMEOUT_MS = 120_000;

test('two of libtorrent get it for little more than one copy', {
  timeout: TIMEOUT_MS,
}, async (t) => {
  if (!canRun(t, [bidwidth, libtorrent])) return;
  await using temp = await makeTempFolder('super');
  for (const name of ['source', 'one', 'two']) await mkdir(join(temp.path, name));
  const source = join(temp.path, 'source');
  const made = await makeContent(source, { shape: 'single-file', lengthBytes: CONTENT_BYTES });
  const start = ([command, ...args]: readonly [string, ...string[]]): Child =>
    startChild(command, args, { env: { HOME: temp.path }, timeoutMs: TIMEOUT_MS });
  const usual = ['--port', '0', '--json', '--no-trackers', '--no-dht', '--no-lsd'];
  const where = ['seed', made.torrentPath, '--from', source, '--super', ...usual];
  // So slow that ordinary seeding would send both of them all.
  await using seed = start(bidwidthCommand([...where, '--upload-limit', '4M']));
  const { port } = await seed.waitForLine(({ event }) => event === 'listening');
  const download = (name: string, ports: readonly unknown[]): Child => {
    const known = ports.map((each) => `--peer=${HOST}:${each}`);
    const folder = join(temp.path, name);
    return start(libtorrentCommand(['download', made.torrentPath, folder, '--stay', ...known]));
  };
  await using one = download('one', [port]);
  const listening = await one.waitForLine(({ event }) => event === 'listening');
  await using two = download('two', [port, listening.port]);
  for (const [name, child] of [['one', one] as const, ['two', two] as const]) {
    await child.waitForLine(({ event }) => event === 'complete');
    const got = sha256OfFile(join(temp.path, name, 'single.bin'));
    assert.equal(got, sha256OfFile(made.contentPath));
  }
  await seed.stop();
  const summary = await seed.waitForLine(({ ok }) => ok === true);
  const copies = Number(summary['sentBytes']) / CONTENT_BYTES;
  assert.ok(copies >= 1 && copies < 1.25, `${copies} copies`);
});
