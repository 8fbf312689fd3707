import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UploadPolicy } from '../../engine/index.ts';
import { shuffle } from '../../units/index.ts';
import { freeRiders } from './free-riders.ts';
import { SCENARIOS, simulate } from './index.ts';

/** Seeds per scenario: few in every test run, as many as one likes by hand. */
const SEED_COUNT = Number(process.env['BIDWIDTH_SIM_SEEDS'] ?? 3);

/** Takes seconds for one seed. */
const LARGE: ReadonlySet<string> = new Set(['crowd', 'dht', 'free-riders']);

for (const name of SCENARIOS.keys()) {
  test(`${name}: honest peers finish with the right data, and nobody wrongs them`, () => {
    const count = LARGE.has(name) ? Math.ceil(SEED_COUNT / 10) : SEED_COUNT;
    for (let seed = 1; seed <= count; seed++) {
      assert.deepEqual(simulate(name, seed)?.faults, [], `${name}, seed ${seed}`);
    }
  });
}

test('free riders do as well as others where the choker ranks by nothing', () => {
  const byNothing = (): UploadPolicy => ({
    allot: ({ candidates, slots, random }) =>
      shuffle([...candidates.filter(({ isInterested }) => isInterested)], random)
        .slice(0, slots)
        .map(({ peerKey }) => ({ peerKey, weight: 1 })),
  });
  const { faults } = freeRiders({ seed: 1, peers: 14 }, byNothing);
  assert.match(faults.join(), /who gives got [01]\.\d\d times the rate only/);
});

test('the same seed gives the same run, event by event', () => {
  for (const name of SCENARIOS.keys()) {
    if (LARGE.has(name)) continue;
    assert.deepEqual(simulate(name, 42), simulate(name, 42), name);
  }
});

test('another seed gives another run', () => {
  const digests = [1, 2, 3].map((seed) => simulate('everything', seed)?.digest);
  assert.equal(new Set(digests).size, 3);
});

test('a scenario has as many downloaders as one says', () => {
  const report = simulate('corruption', 1, 7);
  assert.equal(report?.peers.filter((peer) => peer.isHonest && !peer.isSeed).length, 7);
  assert.deepEqual(report.faults, []);
});

test('a scenario nobody wrote is not run', () => {
  assert.equal(simulate('calm', 1), null);
});
