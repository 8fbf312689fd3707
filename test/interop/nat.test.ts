/**
 * A home router of another make (miniupnpd, as most have it) with a real translation of addresses:
 * somebody outside reaches a node inside through the port that the node has had opened.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from '../support/children.ts';
import { makeTempFolder, sha256OfFile } from '../support/files.ts';
import { type HomeNetwork, makeHomeNetwork } from '../support/home-network.ts';
import { bidwidthCommand } from './clients/bidwidth.ts';
import { makeContent } from './content.ts';

const TIMEOUT_MS = 60_000;
const PORT = 6881;
const NODE = ['--port', `${PORT}`, '--json', '--no-trackers', '--no-dht', '--no-lsd'];

/** The chains that miniupnpd puts its rules in. */
const RULES = `table inet filter {
  chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; }
  chain miniupnpd { }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain prerouting_miniupnpd { }
  chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; }
  chain postrouting_miniupnpd { }
}`;

/** Why it cannot run here; null when it can. */
function unavailable(): string | null {
  const missing = ['miniupnpd', 'nft'].find(
    (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  );
  return missing === undefined ? null : `${missing} is not installed`;
}

/** What the router passes on to us. */
function rules(network: HomeNetwork): readonly string[] {
  const [command, ...args] = network.atRouter(
    'nft list chain inet filter prerouting_miniupnpd'.split(' '),
  );
  const { stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return stdout.match(/dnat ip to \S+/g) ?? [];
}

/** Makes the router translate; false where the kernel cannot. */
function translate(network: HomeNetwork): boolean {
  const run = (command: readonly string[], input = ''): boolean => {
    const [file, ...args] = network.atRouter(command);
    return spawnSync(file, args, { input }).status === 0;
  };
  const canForward = run(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  return canForward && run(['nft', '-f', '-'], RULES);
}

for (const [method, natPmp, upnp] of [
  ['PCP', 'yes', 'no'],
  ['UPnP', 'no', 'yes'],
] as const) {
  test(`miniupnpd opens our port by ${method}, and closes it at the end`, async (t) => {
    const reason = unavailable();
    if (reason !== null) {
      if (process.env['BIDWIDTH_INTEROP'] === 'required') throw new Error(reason);
      return t.skip(reason);
    }
    const network = makeHomeNetwork({ hasRouter: true });
    if (typeof network === 'string') return t.skip(network);
    await using _ = network;
    if (!translate(network)) return t.skip('this kernel does not translate addresses');
    await using temp = await makeTempFolder('nat');
    for (const name of ['source', 'got']) await mkdir(join(temp.path, name));
    const source = join(temp.path, 'source');
    const shape = { shape: 'single-file', lengthBytes: 1_000_003 } as const;
    const made = await makeContent(source, shape);

    const configuration = join(temp.path, 'miniupnpd.conf');
    const { insideDevice, outsideDevice } = network;
    await writeFile(
      configuration,
      `ext_ifname=${outsideDevice}\nlistening_ip=${insideDevice}\nport=0\nsecure_mode=yes\n` +
        `enable_natpmp=${natPmp}\nenable_upnp=${upnp}\n` +
        'uuid=73a9cb68-a00b-4d7f-8412-75a7de3c7e11\nallow 1024-65535 10.0.0.0/8 1024-65535\n',
    );
    const start = (command: readonly [string, ...string[]], home: string): Child => {
      const [file, ...args] = command;
      const env = { HOME: join(temp.path, home) };
      return startChild(file, args, { env, timeoutMs: TIMEOUT_MS });
    };
    const [file, ...args] = network.atRouter(['miniupnpd', '-d', '-f', configuration]);
    await using router = startChild(file, args, { timeoutMs: TIMEOUT_MS });
    while (!/istening (for NAT-PMP|on port)/.test(router.output())) await delay(25);

    const from = ['seed', made.torrentPath, '--from', source, ...NODE];
    await using seed = start(network.inside(bidwidthCommand(from)), 'seed-home');
    const reach = await seed.waitForLine(({ event }) => event === 'nat');
    assert.equal(reach['state'], 'mapped');
    assert.equal(reach['method'], method);
    assert.equal(reach['externalHost'], network.outsideHost);
    assert.equal(rules(network).length, 2, 'TCP and UDP');

    const peer = ['--peer', `${network.outsideHost}:${PORT}`, '--no-nat'];
    const to = ['download', made.torrentPath, '--to', join(temp.path, 'got'), ...NODE, ...peer];
    await using download = start(bidwidthCommand([...to, '--port', '0']), 'got-home');
    await download.success();
    assert.equal(sha256OfFile(join(temp.path, 'got', made.name)), sha256OfFile(made.contentPath));

    await seed.stop('SIGINT');
    assert.deepEqual(rules(network), [], 'Ctrl-C takes the mappings back');
  });
}
