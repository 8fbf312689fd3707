/** Every example runs, and prints what its reader is promised. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = fileURLToPath(new URL('../../examples', import.meta.url));

/** Longer ones are no examples any more. */
const LINES_MAX = 60;

/** The lines each must print, in order; others may stand between them. */
const PROMISES: Readonly<Record<string, readonly RegExp[]>> = {
  'engine.ts': [/^4\.77 MiB in 1 s of virtual time$/, /^77 pieces, as the seed's: true$/],
  'market.ts': [
    /^round 1: 4 BTT/,
    /rich +8\.00 MiB\/s at 4 BTT/,
    /^round 2: 5 BTT/,
    /^round 4: 5\.000 BTT/,
    /modest +0 B\/s/,
    /trader .* at 4\.715 BTT/,
  ],
  'money.ts': [
    /^reserved 8 BTT$/,
    /^earned 2\.5 BTT$/,
    /^claimed 2\.5 BTT, refunded 5\.5 BTT$/,
    /^the seller has 2\.5 BTT in the contract$/,
  ],
  'payment.ts': [
    /^locked 5 BTT for 2 lanes/,
    /^a lane of 5 BTT: sums on the path do not add up/,
    /over 1\.25 BTT: taken$/,
    /over 1 BTT: the amount is not above/,
    /over 2\.5 BTT: the amount is above the cap/,
    /^bob can claim 1\.25 BTT$/,
  ],
  'transfer.ts': [/^song\.bin: \d+ pieces$/, /^downloaded 3000000 bytes, all right: true$/],
  'wire.ts': [/^info-hash [0-9a-f]{40}/, /^cut short: WIRE_BENCODE/, /^request 1 0 3616$/],
};

test('every example is named here, and short', () => {
  const files = readdirSync(FOLDER).sort();
  assert.deepEqual(files, Object.keys(PROMISES).sort());
  for (const file of files) {
    const lines = readFileSync(join(FOLDER, file), 'utf8').trimEnd().split('\n').length;
    assert.ok(lines < LINES_MAX, `${file} has ${lines} lines`);
  }
});

for (const [file, promises] of Object.entries(PROMISES)) {
  test(`examples/${file} prints what it promises`, async () => {
    const run = promisify(execFile)(process.execPath, [join(FOLDER, file)], { timeout: 60_000 });
    const { stdout, stderr } = await run;
    assert.equal(stderr, '');
    const lines = stdout.split('\n');
    let from = 0;
    for (const promise of promises) {
      const at = lines.findIndex((line, nth) => nth >= from && promise.test(line));
      assert.notEqual(at, -1, `no line is like ${promise} in:\n${stdout}`);
      from = at + 1;
    }
  });
}
