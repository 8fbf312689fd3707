/** uTP, the DHT and UDP trackers through Dante: every packet goes to it, and all is downloaded. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DHT_ROUTERS } from '../../src/platform/dht/index.ts';
import { startTrackerServer, type TrackerServer } from '../../src/platform/tracker/index.ts';
import type { Finished } from '../cli/run.ts';
import { canGoOn } from '../interop/availability.ts';
import { DANTED_RELAY_PORTS, dantedUnavailable, startDanted } from '../interop/clients/danted.ts';
import { libtorrentUnavailable, libtorrentWith } from '../interop/clients/libtorrent.ts';
import { startLibtorrentDht } from '../interop/clients/libtorrent-dht.ts';
import type { Seeding } from '../interop/clients/torrent-client.ts';
import type { Child } from '../support/children.ts';
import { makeNamespace, type Namespace, namespaceProblem } from '../support/namespace.ts';
import type { Endpoint } from '../support/ports.ts';
import { create, makeScene, NAMES, type Scene } from './scene.ts';

const reasons = [namespaceProblem(), dantedUnavailable(), libtorrentUnavailable()].flatMap(
  (reason) => reason ?? [],
);
const LOGIN = { user: 'me', password: 'hush' };

/** The well-known routers, too: nothing of this is to leave the machine. */
const DANTE_NAMES: Readonly<Record<string, string>> = {
  ...NAMES,
  'router.leak.test': '127.0.0.1',
  ...Object.fromEntries(DHT_ROUTERS.map(({ host }) => [host, '127.0.0.1'])),
};

const utpAlone = libtorrentWith('libtorrent without TCP', {
  ...{ enable_incoming_tcp: 0, enable_outgoing_tcp: 0 },
  ...{ enable_incoming_utp: 1, enable_outgoing_utp: 1 },
});

let scene: Scene;
let machine: Namespace;
let tracker: TrackerServer;
/** A node of the DHT that knows of the seed. */
let keeper: { readonly child: Child; readonly node: Endpoint };
let seeding: Seeding;
let infoHash: string;

before(async () => {
  if (reasons.length > 0) return;
  scene = await makeScene('relay');
  machine = makeNamespace();
  tracker = await startTrackerServer({ host: '127.0.0.1', httpPort: null, udpPort: 0 });
  keeper = await startLibtorrentDht([]);
  const near = `udp://127.0.0.1:${tracker.udpPort}/announce`;
  infoHash = await create(scene.desk, 'near', ['--tracker', near]);
  seeding = await utpAlone.seed({
    torrentPath: scene.desk.at('near.torrent'),
    folder: scene.desk.at('source'),
    homeFolder: scene.desk.at('seed-home'),
    host: '127.0.0.1',
    announceUrl: near,
    dhtNode: keeper.node,
  });
});

after(async () => {
  if (reasons.length > 0) return;
  await seeding[Symbol.asyncDispose]();
  await keeper.child.stop();
  await tracker.close();
  await machine[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
});

/** Downloads by uTP alone, in the namespace, through a Dante that carries `commands`. */
async function download(
  what: readonly string[],
  to: string,
  commands: readonly ('connect' | 'udpassociate')[],
): Promise<Finished> {
  const host = machine.nearHost;
  const folder = scene.desk.at(`danted-${to}`);
  await using proxy = await startDanted({
    ...{ host, folder, login: LOGIN, names: DANTE_NAMES, commands },
  });
  const ports = `{ ${proxy.port}, ${DANTED_RELAY_PORTS} }`;
  machine.let(`meta l4proto { tcp, udp } ip daddr ${host} th dport ${ports}`);
  const where = ['--to', scene.desk.at(to), '--no-tcp', '--proxy', proxy.url, '--json'];
  const args = ['download', ...what, ...where];
  const ended = await scene.desk.run(args, { under: machine.under, home: to });
  assert.deepEqual(machine.seen(), []);
  assert.doesNotMatch(ended.stdout + ended.stderr, /hush/);
  return ended;
}

test('a magnet link alone: the DHT by a router that only the proxy knows, and a peer by uTP', async (t) => {
  if (!canGoOn(t, reasons)) return;
  const magnet = `magnet:?xt=urn:btih:${infoHash}`;
  const router = `router.leak.test:${keeper.node.port}`;
  const what = [magnet, '--dht-node', router, '--timeout', '60'];
  const ended = await download(what, 'by-dht', ['connect', 'udpassociate']);
  assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  assert.ok(scene.isRight('by-dht'));
});

test('a UDP tracker that only the proxy can look up, and a peer by uTP', async (t) => {
  if (!canGoOn(t, reasons)) return;
  const before = tracker.stats().announces;
  const url = `udp://tracker.leak.test:${tracker.udpPort}/announce`;
  await create(scene.desk, 'far', ['--tracker', url]);
  const what = [scene.desk.at('far.torrent'), '--no-dht', '--timeout', '60'];
  const ended = await download(what, 'by-tracker', ['connect', 'udpassociate']);
  assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  assert.ok(scene.isRight('by-tracker'));
  assert.ok(tracker.stats().announces > before);
});

test('a Dante that is not to carry UDP is told of once, and nothing goes past it', async (t) => {
  if (!canGoOn(t, reasons)) return;
  const magnet = `magnet:?xt=urn:btih:${infoHash}&x.pe=127.0.0.1:${seeding.endpoint.port}`;
  const tracked = `${magnet}&tr=udp%3A%2F%2Ftracker.leak.test%3A${tracker.udpPort}%2Fannounce`;
  const ended = await download([tracked, '--timeout', '5'], 'refused', ['connect']);
  assert.notEqual(ended.code, 0);
  const texts = ended.json.filter(({ event }) => event === 'notice').map(({ text }) => `${text}`);
  const about = texts.filter((text) => text.includes('carries no UDP'));
  assert.equal(about.length, 1, `${texts}`);
  assert.match(`${about}`, /refuses to; uTP, the DHT and UDP trackers are off$/);
});
