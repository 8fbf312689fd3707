/** Simulated swarms by command. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Desk, makeDesk } from './run.ts';

let desk: Desk;

before(async () => {
  desk = await makeDesk('simulate');
});

after(() => desk[Symbol.asyncDispose]());

test('simulate alone lists the scenarios', async () => {
  const { code, stdout } = await desk.run(['simulate']);
  assert.equal(code, 0);
  assert.match(stdout, /^ {2}partition +the swarm is cut in two, then heals \(6\)$/m);
  const { summary } = await desk.run(['simulate', '--json']);
  const names = (summary['scenarios'] as { name: string }[]).map(({ name }) => name);
  assert.ok(names.includes('churn') && names.includes('dht'), `${names}`);
});

test('the same seed gives the same run, another one another', async () => {
  const run = (seed: string) => desk.run(['simulate', 'churn', '--seed', seed, '--json']);
  const [one, again, other] = [await run('7'), await run('7'), await run('8')];
  assert.equal(one.code, 0, one.stderr);
  assert.equal(one.stdout, again.stdout);
  assert.notEqual(one.summary['digest'], other.summary['digest']);
  const { ok, scenario, seed, peers, faults } = one.summary;
  assert.deepEqual(
    { ok, scenario, seed, peers, faults },
    { ok: true, scenario: 'churn', seed: 7, peers: 9, faults: [] },
  );
  const told = one.json.filter((line) => line['event'] === 'peer');
  assert.equal(told.length, 9);
  for (const line of told) assert.ok(Number(line['completeMs']) >= 0, JSON.stringify(line));
});

test('people read how many were done, and when', async () => {
  const { code, stdout } = await desk.run(['simulate', 'corruption', '--peers', '3']);
  assert.equal(code, 0);
  assert.match(stdout, /^corruption, seed 1: 8 clients, a torrent of /);
  assert.match(stdout, /^3 of 3 downloads complete: the first after \d+\.\d s, half after /m);
  assert.match(stdout, /^everything was as it must be$/m);
});

test('what cannot be simulated is refused in one line', async () => {
  for (const [args, said] of [
    [['calm'], /there is no scenario 'calm'; simulate alone lists them/],
    [['churn', '--peers', '0'], /number from 1 to 10000/],
    [['churn', '--seed', 'x'], /number from 0 to 4294967295/],
  ] as const) {
    const { code, stderr } = await desk.run(['simulate', ...args]);
    assert.notEqual(code, 0);
    assert.match(stderr, said);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});
