/** Nothing leaves but by the way out: seen from below, where every packet is counted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { startTestProxy } from '../../src/platform/egress/testing/proxies.ts';
import type { Finished } from '../cli/run.ts';
import { canGoOn } from '../interop/availability.ts';
import { makeNamespace, type Namespace, namespaceProblem } from '../support/namespace.ts';
import { ELSEWHERE, makeScene, NAMES, type Scene, TALKATIVE } from './scene.ts';

const problem = namespaceProblem();
let scene: Scene;
let machine: Namespace;

before(async () => {
  if (problem !== null) return;
  scene = await makeScene('leak');
  machine = makeNamespace();
});

after(async () => {
  if (problem !== null) return;
  await machine[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
});

/** Downloads in the namespace. */
function download(what: string, to: string, more: readonly string[]): Promise<Finished> {
  const args = ['download', what, '--to', scene.desk.at(to), ...TALKATIVE, ...more];
  return scene.desk.run(args, { under: machine.under, home: to });
}

test('without a proxy the same command is heard in every direction', async (t) => {
  if (!canGoOn(t, problem === null ? [] : [problem])) return;
  machine.forget();
  const ended = await download(scene.magnet, 'open', ['--timeout', '3']);
  assert.notEqual(ended.code, 0);
  const seen = machine.seen();
  const expected = [`${ELSEWHERE} . 6881`, `${ELSEWHERE} . 1337`, `${ELSEWHERE} . 443`, ' . 53'];
  for (const place of expected) {
    assert.ok(
      seen.some((one) => one.endsWith(place)),
      `${place} in ${seen}`,
    );
  }
  assert.ok(seen.some((one) => one.includes(' . 2001:db8::9 . ')));
});

for (const kind of ['socks5', 'http'] as const) {
  test(`through a proxy (${kind}) no packet goes elsewhere, and all is downloaded`, async (t) => {
    if (!canGoOn(t, problem === null ? [] : [problem])) return;
    const login = { user: 'me', password: 'hush' };
    await using proxy = await startTestProxy({ kind, host: machine.nearHost, login, names: NAMES });
    machine.let(`ip daddr ${machine.nearHost} tcp dport ${proxy.address.port}`);
    const { torrent, webTorrent, magnet } = scene;
    for (const [name, what] of Object.entries({ torrent, webTorrent, magnet })) {
      const to = `${kind}-${name}`;
      const ended = await download(what, to, ['--proxy', proxy.url]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.ok(scene.isRight(to), to);
      assert.doesNotMatch(ended.stdout + ended.stderr, /hush/);
      const about = ended.json.filter((line) => `${line['text']}`.includes('carries no UDP'));
      assert.ok(about.length <= (kind === 'http' ? 0 : 1), 'said once, where it could be');
    }
    assert.deepEqual(machine.seen(), []);
    for (const place of [scene.tracker, scene.webSeed, scene.peer, `${ELSEWHERE}:443`]) {
      assert.ok(proxy.asked.includes(place), `${place} in ${proxy.asked}`);
    }
    const isBehind = (place: string): boolean => place.startsWith('127.0.0.1:');
    assert.ok(proxy.asked.some(isBehind), 'peers of the tracker are dialled through it, too');
  });
}

test('when the proxy is away, nothing goes past it, nobody can come in, and it is said', async (t) => {
  if (!canGoOn(t, problem === null ? [] : [problem])) return;
  machine.let(`ip daddr ${machine.nearHost} tcp dport 9`);
  const url = `socks5://me:hush@${machine.nearHost}:9`;
  const running = download(scene.magnet, 'away', ['--proxy', url, '--timeout', '4']);
  const [command = '', ...rest] = [...machine.under, 'ss', '-Hltun'];
  let listening = '';
  const timer = setInterval(() => {
    listening += spawnSync(command, rest, { encoding: 'utf8' }).stdout;
  }, 300);
  const ended = await running;
  clearInterval(timer);
  assert.notEqual(ended.code, 0);
  assert.deepEqual(machine.seen(), []);
  assert.equal(listening, '', 'no socket waits for anybody');
  const notices = ended.json.filter((line) => line.event === 'notice').map((line) => line['text']);
  const about = notices.filter((text) => `${text}`.includes('is not there'));
  const name = `the proxy at ${machine.nearHost}:9`;
  assert.deepEqual(about, [`${name} is not there: nobody listens; nothing goes past it`]);
});
