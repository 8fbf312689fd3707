import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attack, describeHarm } from './attack.ts';
import { TARGETS } from './targets.ts';

/** More by hand: `npm run fuzz`. */
const INPUT_COUNT = 20_000;
const SLOW_INPUT_COUNT = 1_000;

for (const target of TARGETS) {
  test(`${target.name}: what strangers send is understood or refused`, async () => {
    const count = target.isSlow ? SLOW_INPUT_COUNT : INPUT_COUNT;
    const { harm, acceptedCount } = await attack(target, { seed: 1, count });
    assert.equal(harm, null, harm ? describeHarm(harm) : '');
    // Mutations that are never understood do not get past the first byte.
    assert.ok(acceptedCount > 0);
  });
}
