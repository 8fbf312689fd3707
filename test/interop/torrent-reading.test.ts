/**
 * Torrents with something odd about them: libtorrent 2.0.8 and we accept the same ones, and read
 * the same hashes, sizes, files, trackers and web seeds from them. `BIDWIDTH_SEED` chooses others,
 * `BIDWIDTH_COUNT` how many.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { canRun } from './availability.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { oddTorrent } from './odd-torrents.ts';
import { differences } from './reading.ts';

const SCRIPT = fileURLToPath(new URL('clients/libtorrent_read.py', import.meta.url));
/** Each seed has this many torrents at most. */
const COUNT_MAX = 1_000_000;
const FIRST = Number(process.env['BIDWIDTH_SEED'] ?? 1) * COUNT_MAX;
const COUNT = Math.min(Number(process.env['BIDWIDTH_COUNT'] ?? 3000), COUNT_MAX);

test('odd torrents are accepted, refused and read as libtorrent does', (t) => {
  if (!canRun(t, [libtorrent])) return;
  const torrents = Array.from({ length: COUNT }, (_, index) => oddTorrent(FIRST + index));
  const input = torrents.map(({ bytes }) => Buffer.from(bytes).toString('base64')).join('\n');
  const run = spawnSync('/usr/bin/python3', [SCRIPT], { input, maxBuffer: 2 ** 30 });
  assert.equal(run.status, 0, String(run.stderr));
  const answers = String(run.stdout).trimEnd().split('\n');
  assert.equal(answers.length, COUNT);
  let accepted = 0;
  const found: string[] = [];
  for (const [index, { bytes, changes }] of torrents.entries()) {
    const theirs = JSON.parse(answers[index] ?? '');
    if (theirs.error === undefined) accepted++;
    const lines = differences(bytes, theirs);
    if (lines.length === 0) continue;
    found.push([`seed ${FIRST + index}: ${changes.join('; ')}`, ...lines].join('\n  '));
  }
  t.diagnostic(`${accepted} of ${COUNT} accepted`);
  assert.equal(found.length, 0, `${found.length} differ\n${found.slice(0, 20).join('\n')}`);
});
