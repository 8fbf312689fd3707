/** What a node and its router say to each other, by the command line in a network of its own. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, type TestContext, test } from 'node:test';
import { type FakeGateway, startFakeGateway } from '../../src/platform/nat/testing/fake-gateway.ts';
import { bidwidthCommand } from '../interop/clients/bidwidth.ts';
import { type Child, startChild } from '../support/children.ts';
import { writeRandomFile } from '../support/files.ts';
import { type HomeNetwork, makeHomeNetwork } from '../support/home-network.ts';
import { type Desk, makeDesk } from './run.ts';

let desk: Desk;

before(async () => {
  desk = await makeDesk('nat');
  await writeRandomFile(desk.at('source', 'film.bin'), 300_000);
});

after(() => desk[Symbol.asyncDispose]());

async function makeTorrent(name: string, tracker: string): Promise<string> {
  const out = desk.at(`${name}.torrent`);
  const film = desk.at('source', 'film.bin');
  const made = await desk.run(['create', film, '--out', out, '--tracker', tracker, '--json']);
  assert.equal(made.code, 0, made.stderr);
  return out;
}

/** A node inside the home network. */
function seedAt(network: HomeNetwork, torrent: string, options: readonly string[]): Child {
  const from = ['--from', desk.at('source'), '--port', '6881', '--no-dht', '--no-lsd', '--json'];
  const node = bidwidthCommand(['seed', torrent, ...from, ...options]);
  const [command, ...args] = network.inside(node);
  return startChild(command, args, { env: { HOME: desk.at('home') } });
}

/** The network and a router that listens as real ones do; null where they cannot be had. */
async function makeHome(
  t: TestContext,
  options: { readonly speaks: readonly 'pcp'[]; readonly hasRoute?: boolean },
): Promise<{ readonly network: HomeNetwork; readonly gateway: FakeGateway } | null> {
  const { speaks, hasRoute = true } = options;
  const network = makeHomeNetwork({ hasRouter: false, hasRoute });
  if (typeof network === 'string') {
    t.skip(network);
    return null;
  }
  const [host, taken] = [network.routerHost, [6881]];
  const gateway = await startFakeGateway({ host, taken, speaks, isOnStandardPorts: true });
  t.after(async () => {
    await gateway[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
  });
  return { network, gateway };
}

test('trackers hear the port that the router has opened, and Ctrl-C closes it', async (t) => {
  const home = await makeHome(t, { speaks: ['pcp'] });
  if (!home) return;
  const { network, gateway } = home;
  const announced: URLSearchParams[] = [];
  const tracker = createServer((request, response) => {
    announced.push(new URL(`${request.url}`, 'http://tracker').searchParams);
    response.end('d8:intervali1800e5:peers0:e');
  });
  await new Promise<void>((resolve) => tracker.listen(0, network.routerHost, resolve));
  t.after(() => tracker.close());
  const { port } = tracker.address() as { readonly port: number };
  const torrent = await makeTorrent('told', `http://${network.routerHost}:${port}/announce`);
  await using seed = seedAt(network, torrent, []);
  const reach = await seed.waitForLine(({ event }) => event === 'nat');
  assert.deepEqual([reach['state'], reach['method']], ['mapped', 'PCP']);
  await seed.waitForLine(({ event }) => event === 'seeding');
  assert.deepEqual(gateway.mappings(), ['tcp 6881 -> 7881', 'udp 6881 -> 7881']);
  await seed.stop('SIGINT');
  assert.deepEqual(gateway.mappings(), []);
  // The last announce of a session comes after everything else.
  assert.equal(announced.at(-1)?.get('event'), 'stopped');
  assert.equal(announced.at(-1)?.get('port'), '7881');
});

test('a router that is silent is no trouble, and nothing that people read of', async (t) => {
  const home = await makeHome(t, { speaks: [] });
  if (!home) return;
  const torrent = await makeTorrent('silent', 'http://127.0.0.1:1/announce');
  await using seed = seedAt(home.network, torrent, ['--no-trackers']);
  const reach = await seed.waitForLine(({ event }) => event === 'nat');
  assert.equal(reach['state'], 'none');
  assert.ok(home.gateway.heardCount() > 0, 'it was asked');
  assert.equal(
    seed.lines().find(({ event }) => event === 'notice'),
    undefined,
  );
  assert.equal((await seed.stop('SIGINT')).code, 0);
});

for (const [name, hasRoute, options] of [
  ['without a router', false, []],
  ['with --no-nat', true, ['--no-nat']],
  ['on loopback alone', true, ['--bind', '127.0.0.1']],
  ['through a proxy', true, ['--proxy', 'socks5://127.0.0.1:1']],
] as const) {
  test(`${name}, nothing is sent to anybody`, async (t) => {
    const home = await makeHome(t, { speaks: ['pcp'], hasRoute });
    if (!home) return;
    const torrent = await makeTorrent(name.replaceAll(' ', '-'), 'http://127.0.0.1:1/');
    await using seed = seedAt(home.network, torrent, ['--no-trackers', ...options]);
    await seed.waitForLine(({ event }) => event === 'seeding');
    if (!hasRoute) await seed.waitForLine(({ event }) => event === 'nat');
    await seed.stop('SIGINT');
    const isOff = options.length > 0;
    assert.equal(
      seed.lines().some(({ event }) => event === 'nat'),
      !isOff,
    );
    assert.equal(home.gateway.heardCount(), 0);
  });
}
