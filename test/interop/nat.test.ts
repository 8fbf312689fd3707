/**
 * A home router of another make (miniupnpd, as most have it) with a real translation of addresses
 * and a real firewall for IPv6: somebody outside reaches a node inside through the port that the
 * node has had opened.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from '../support/children.ts';
import { makeTempFolder, sha256OfFile } from '../support/files.ts';
import { type HomeNetwork, makeHomeNetwork } from '../support/home-network.ts';
import { bidwidthCommand } from './clients/bidwidth.ts';
import { makeContent } from './content.ts';

const TIMEOUT_MS = 180_000;
const PORT = 6881;
const NODE = ['--port', `${PORT}`, '--json', '--no-trackers', '--no-dht', '--no-lsd'];

/** The chains that miniupnpd puts its rules in; a firewall for IPv6 that says when it is closed. */
const RULES = (outsideDevice: string, closedPort: number): string => `table inet filter {
  chain input { type filter hook input priority 0; udp dport ${closedPort} reject; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state established,related accept
    jump miniupnpd
    iifname "${outsideDevice}" meta nfproto ipv6 reject with icmpv6 admin-prohibited
  }
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

/** What the router passes on: translated, or let through (the field is where IPv6 is sent to). */
function rules(network: HomeNetwork, family: 4 | 6): readonly string[] {
  const [chain, rule] =
    family === 4
      ? ['prerouting_miniupnpd', /dnat ip to \S+/g]
      : ['miniupnpd', /@nh,192,128 .+ accept/g];
  const [command, ...args] = network.atRouter(['nft', 'list', 'chain', 'inet', 'filter', chain]);
  const { stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return stdout.match(rule) ?? [];
}

/** Somebody outside calls: how that ends. By a closed firewall it is EACCES. */
function knock(host: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: PORT });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(`${code}`));
    socket.on('connect', () => {
      socket.destroy();
      resolve('connected');
    });
  });
}

/**
 * Makes the router translate; false where the kernel cannot. Without `hasPcp` its port is closed:
 * miniupnpd answers PCP over IPv6 also when it is told not to.
 */
function translate(network: HomeNetwork, hasPcp: boolean): boolean {
  const run = (command: readonly string[], input = ''): boolean => {
    const [file, ...args] = network.atRouter(command);
    return spawnSync(file, args, { input }).status === 0;
  };
  const canForward = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'].every((key) =>
    run(['sh', '-c', `echo 1 > /proc/sys/net/${key}`]),
  );
  return canForward && run(['nft', '-f', '-'], RULES(network.outsideDevice, hasPcp ? 0 : 5351));
}

for (const [method, family, natPmp, upnp] of [
  ['PCP', 4, 'yes', 'no'],
  ['UPnP', 4, 'no', 'yes'],
  ['PCP', 6, 'yes', 'no'],
  ['UPnP', 6, 'no', 'yes'],
] as const) {
  test(`miniupnpd opens our port by ${method} over IPv${family}, and closes it at the end`, async (t) => {
    const reason = unavailable();
    if (reason !== null) {
      if (process.env['BIDWIDTH_INTEROP'] === 'required') throw new Error(reason);
      return t.skip(reason);
    }
    const network = makeHomeNetwork({ hasRouter: true, hasIpv6: family === 6 });
    if (typeof network === 'string') return t.skip(network);
    await using _ = network;
    if (!translate(network, natPmp === 'yes'))
      return t.skip('this kernel does not translate addresses');
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

    const host = family === 4 ? network.outsideHost : network.homeHost6;
    if (family === 6) assert.equal(await knock(host), 'EACCES', 'the firewall is closed');
    const from = ['seed', made.torrentPath, '--from', source, ...NODE];
    await using seed = start(network.inside(bidwidthCommand(from)), 'seed-home');
    if (family === 4) {
      const reach = await seed.waitForLine(({ event }) => event === 'nat');
      assert.deepEqual([reach['state'], reach['method']], ['mapped', method]);
      assert.equal(reach['externalHost'], host);
      assert.ok(!seed.lines().some(({ event }) => event === 'pinholes'), 'nothing of IPv6');
    } else {
      const reach = await seed.waitForLine(({ event }) => event === 'pinholes');
      const ports = ['tcp', 'udp'].map((protocol) => ({
        protocol,
        port: PORT,
        externalPort: PORT,
      }));
      assert.equal(reach['state'], 'open');
      assert.deepEqual(reach['places'], [{ host, method, ports }]);
    }
    assert.equal(rules(network, family).length, 2, 'TCP and UDP');

    const address = family === 4 ? host : `[${host}]`;
    const peer = ['--peer', `${address}:${PORT}`, '--no-nat'];
    const to = ['download', made.torrentPath, '--to', join(temp.path, 'got'), ...NODE, ...peer];
    await using download = start(bidwidthCommand([...to, '--port', '0']), 'got-home');
    await download.success();
    assert.equal(sha256OfFile(join(temp.path, 'got', made.name)), sha256OfFile(made.contentPath));

    await seed.stop('SIGINT');
    assert.deepEqual(rules(network, family), [], 'Ctrl-C takes them back');
    if (family === 6) assert.equal(await knock(host), 'EACCES', 'it is closed again');
  });
}
