/** Proxies that others wrote: all of a download goes through each, with a login. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { makeScene, NAMES, type Scene, TALKATIVE } from '../egress/scene.ts';
import { startChild } from '../support/children.ts';
import { findFreePort, waitUntilListening } from '../support/ports.ts';
import { canGoOn } from './availability.ts';
import { missingCommand } from './clients/torrent-client.ts';

/** A program that is a proxy. */
interface ForeignProxy {
  readonly name: string;
  readonly scheme: string;
  /** Its command line; writes what that needs. */
  command(port: number, login: Login): readonly string[];
}

interface Login {
  readonly user: string;
  readonly password: string;
}

let scene: Scene;
before(async () => {
  scene = await makeScene('foreign-proxy');
});
after(() => scene[Symbol.asyncDispose]());

const PROXIES: readonly ForeignProxy[] = [
  {
    name: 'microsocks',
    scheme: 'socks5',
    command: (port, { user, password }) => [
      ...['microsocks', '-i', '127.0.0.1', '-p', `${port}`, '-u', user, '-P', password],
    ],
  },
  {
    name: 'tinyproxy',
    scheme: 'http',
    command: (port, { user, password }) => {
      const file = scene.desk.at('tinyproxy.conf');
      const lines = [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 60', 'LogLevel Critical'];
      writeFileSync(file, [...lines, `BasicAuth ${user} ${password}`, ''].join('\n'));
      return ['tinyproxy', '-d', '-c', file];
    },
  },
];

/** So that the proxy knows the names of the scene, and nobody else does. */
function withNames(command: readonly string[]): readonly string[] {
  const file = scene.desk.at('hosts');
  const lines = Object.entries(NAMES).map(([name, address]) => `${address} ${name}\n`);
  writeFileSync(file, lines.join(''));
  const script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', file, ...command];
}

for (const proxy of PROXIES) {
  test(`${proxy.name}: tracker, peers and web seed through it`, async (t) => {
    const reasons = [missingCommand(proxy.name, proxy.name) ?? []].flat();
    if (process.getuid?.() !== 0) reasons.push('needs root for names of its own');
    if (!canGoOn(t, reasons)) return;
    const login = { user: 'me', password: 'hush' };
    const port = await findFreePort();
    const [command = '', ...args] = withNames(proxy.command(port, login));
    await using _child = startChild(command, args);
    await waitUntilListening({ host: '127.0.0.1', port });
    const { torrent, webTorrent, magnet } = scene;
    for (const [name, what] of Object.entries({ torrent, webTorrent, magnet })) {
      const to = `${proxy.name}-${name}`;
      const url = `${proxy.scheme}://${login.user}:${login.password}@127.0.0.1:${port}`;
      const where = ['--to', scene.desk.at(to), '--proxy', url, '--encryption', 'require'];
      const ended = await scene.desk.run(['download', what, ...where, ...TALKATIVE], { home: to });
      assert.equal(ended.code, 0, ended.stderr);
      assert.ok(scene.isRight(to), to);
    }
    const wrong = `${proxy.scheme}://me:other@127.0.0.1:${port}`;
    const refused = await scene.desk.run([
      ...['download', magnet, '--to', scene.desk.at('no'), '--proxy', wrong, '--timeout', '2'],
      ...TALKATIVE,
    ]);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout, /does not accept the user and password; nothing goes past it/);
    assert.doesNotMatch(refused.stdout + refused.stderr, /other/);
  });
}
