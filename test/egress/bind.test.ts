/** With `--bind` everything leaves from that address, or not at all: packets are counted. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { portOf } from '../cli/run.ts';
import { canGoOn } from '../interop/availability.ts';
import type { JsonLine } from '../support/children.ts';
import {
  type Link,
  makeNamespace,
  type Namespace,
  namespaceProblem,
} from '../support/namespace.ts';
import { ELSEWHERE, makeScene, type Scene, TALKATIVE } from './scene.ts';

const problem = namespaceProblem();
let scene: Scene;
let machine: Namespace;
let vpn: Link;
/** A seeder at the other end of the VPN. */
let peer: string;

before(async () => {
  if (problem !== null) return;
  scene = await makeScene('bind');
  machine = makeNamespace();
  vpn = machine.addLink();
  const seeder = scene.desk.start([
    ...['seed', scene.desk.at('plain.torrent'), '--from', scene.desk.at('source')],
    ...['--bind', vpn.nearHost, '--port', '0', '--json'],
  ]);
  const port = await portOf(seeder);
  peer = `${vpn.nearHost}:${port}`;
  machine.let(`ip saddr ${vpn.ownHost} ip daddr ${vpn.nearHost} tcp dport ${port}`);
});

after(async () => {
  if (problem !== null) return;
  await scene[Symbol.asyncDispose]();
  await machine[Symbol.asyncDispose]();
});

function download(to: string, more: readonly string[]): readonly string[] {
  const where = ['--to', scene.desk.at(to), '--bind', vpn.device, '--peer', peer];
  return ['download', scene.magnet, ...where, ...TALKATIVE, ...more];
}

test('peers, trackers, the DHT and name servers hear from the bound address alone', async (t) => {
  if (!canGoOn(t, problem === null ? [] : [problem])) return;
  const more = ['--download-limit', '1M'];
  const ended = await scene.desk.run(download('bound', more), { under: machine.under });
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(scene.isRight('bound'));
  const seen = machine.seen();
  const others = seen.filter((place) => !place.startsWith(`${vpn.ownHost} . `));
  assert.deepEqual(others, []);
  for (const place of [
    `${ELSEWHERE} . 6881`,
    `${ELSEWHERE} . 1337`,
    `${ELSEWHERE} . 443`,
    ' . 53',
  ]) {
    assert.ok(
      seen.some((one) => one.endsWith(place)),
      `${place} in ${seen}`,
    );
  }
});

test('an interface that goes down takes all with it, and all comes back with it', async (t) => {
  if (!canGoOn(t, problem === null ? [] : [problem])) return;
  const args = download('gone', ['--download-limit', '500K']);
  await using child = scene.desk.start(args, 'gone', machine.under);
  await child.waitForLine((line) => line.event === 'progress' && Number(line['haveBytes']) > 0);
  machine.ip(`link set ${vpn.device} down`);
  const isAbout =
    (word: string) =>
    (line: JsonLine): boolean =>
      `${line['text']}`.includes(`${vpn.ownHost} is ${word}`);
  await child.waitForLine(isAbout('gone'));
  // Each thread looks once a second.
  await sleep(1_100);
  machine.forget();
  await sleep(1_500);
  assert.deepEqual(machine.seen(), []);
  machine.ip(`link set ${vpn.device} up`);
  await child.waitForLine(isAbout('back'));
  await child.success();
  assert.ok(scene.isRight('gone'));
});
