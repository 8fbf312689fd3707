/** Items of the DHT and torrents followed by their key, from one of our processes to another. */
import assert from 'node:assert/strict';
import { cp, stat } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { DhtService } from '../../src/platform/dht/index.ts';
import type { Child, JsonLine } from '../support/children.ts';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { type Desk, type Finished, makeDesk, portOf } from './run.ts';

let desk: Desk;
let keeper: DhtService;
/** Takes its time to give up: the other tests run meanwhile. */
let unanswered: Child;

before(async () => {
  desk = await makeDesk('dht-items');
  const alone = { port: 0, bindHost: '127.0.0.1', file: null, routers: [], isReadOnly: false };
  keeper = await DhtService.start(alone);
  const nobody = ['--bind', '127.0.0.1', '--dht-node', '127.0.0.1:9'];
  unanswered = desk.start(['dht', 'nodes', ...nobody], 'alone');
});

after(async () => {
  await keeper.stop();
  await desk[Symbol.asyncDispose]();
});

function inDht(): readonly string[] {
  return ['--bind', '127.0.0.1', '--dht-node', `127.0.0.1:${keeper.port}`, '--json'];
}

/** Runs a command that succeeds; its summary. */
async function done(args: readonly string[], home?: string): Promise<Finished['summary']> {
  const ended = await desk.run([...args, ...inDht()], home === undefined ? {} : { home });
  assert.equal(ended.code, 0, ended.stderr);
  return ended.summary;
}

test('a text is stored under its hash, and read by another node', async () => {
  const { target, storedCount } = await done(['dht', 'put', 'Hello World!']);
  // The third vector of BEP 44.
  assert.equal(target, 'e5f96f6f38320f0f33959cb4d3d656452117aadb');
  assert.equal(storedCount, 1);
  const found = await done(['dht', 'get', `${target}`], 'reader');
  assert.equal(found['value'], 'Hello World!');
  assert.equal(found['kind'], 'immutable');
});

test('under a key the later text replaces the earlier, for each salt alone', async () => {
  const put = (text: string, ...more: string[]) => done(['dht', 'put', text, '--mutable', ...more]);
  const first = await put('one');
  const second = await put('two');
  const salted = await put('salted', '--salt', 'n');
  assert.ok(BigInt(`${second['sequence']}`) > BigInt(`${first['sequence']}`));
  const key = `${first['publicKey']}`;
  assert.equal((await done(['dht', 'get', key], 'reader'))['value'], 'two');
  assert.equal((await done(['dht', 'get', key, '--salt', 'n'], 'reader'))['value'], 'salted');
  assert.equal((await done(['dht', 'get', `${second['target']}`], 'reader'))['value'], 'two');
  // The same text again is the same item, not a later one.
  assert.equal((await put('two'))['sequence'], second['sequence']);
  assert.equal((await stat(desk.at('home', 'node', 'dht-key.json'))).mode & 0o777, 0o600);
  const shown = await desk.run(['dht', 'key', '--json']);
  assert.equal(shown.summary['publicKey'], key);
  assert.equal(salted['salt'], '6e');
});

test('an older sequence number is refused, and says so', async () => {
  await done(['dht', 'put', 'new', '--salt', 'aged', '--sequence', '7']);
  const late = ['dht', 'put', 'old', '--salt', 'aged', '--sequence', '6', ...inDht()];
  const { code, summary } = await desk.run(late);
  assert.equal(code, 1);
  assert.equal(summary['code'], 'DAEMON_ITEM_REFUSED');
  assert.match(`${summary['error']}`, /later sequence number/);
});

test('a key with a password is encrypted, and opens with it alone', async () => {
  const key = ['--key', desk.at('secret.json')];
  const as = (password: string) => ({ env: { BIDWIDTH_PASSWORD: password } });
  const made = await desk.run(['dht', 'key', ...key, '--json'], as('correct horse'));
  assert.equal(made.code, 0, made.stderr);
  const again = await desk.run(['dht', 'key', ...key, '--json'], as('correct horse'));
  assert.deepEqual(again.summary, made.summary);
  const wrong = await desk.run(['dht', 'key', ...key], as('battery staple'));
  assert.match(wrong.stderr, /^bidwidth: wrong password for the publishing key in .*\n$/);
  const none = await desk.run(['dht', 'key', ...key]);
  assert.match(none.stderr, /^bidwidth: the publishing key needs its password: .*\n$/);
});

const TARGET = '0'.repeat(40);

for (const [args, line] of [
  [['dht', 'get', 'nonsense'], /'nonsense' names no item/],
  [['dht', 'get', TARGET], /no node has an item at 0{40}/],
  [['dht', 'get', `magnet:?xs=urn:btpk:${TARGET}`], /its key .* has not 64 hexadecimal digits/],
  [['dht', 'get', TARGET, '--salt', 'x'.repeat(65)], /a salt has at most 64 bytes, this one 65/],
  [['dht', 'put', 'x'.repeat(1000)], /an item has at most 1000 bytes bencoded, this one 1005/],
  [['dht', 'put', ''], /an empty text/],
  [['dht', 'put', 'x', '--sequence', '-1'], /Use a whole number from 0 to 9223372036854775807/],
  [['dht', 'peers', 'missing.torrent'], /missing.torrent does not exist/],
  [['dht', 'nodes', '--proxy', 'http://127.0.0.1:9'], /does not go through an HTTP proxy/],
  [
    ['publish', `magnet:?xt=urn:btmh:1220${TARGET}${'0'.repeat(24)}`],
    /has room for a v1 info-hash/,
  ],
  [['download', `magnet:?xs=urn:btpk:${TARGET}`, '--to', 'x'], /its key .* has not 64/],
  [
    ['download', `magnet:?xs=urn:btpk:${'0'.repeat(64)}`, '--to', 'x', '--no-dht'],
    /leave out --no-dht/,
  ],
  [['info', `magnet:?xs=urn:btpk:${'0'.repeat(64)}`], /it names a key/],
] as const) {
  test(`${args.slice(0, 2).join(' ')} ${args.slice(2).join(' ').slice(0, 30)} is refused in one line`, async () => {
    const isInfo = args[0] === 'info';
    const ended = await desk.run(isInfo ? args : [...args, ...inDht().slice(0, -1)]);
    assert.notEqual(ended.code, 0);
    assert.match(ended.stderr, line);
    assert.equal(ended.stderr.trimEnd().split('\n').length, 1, ended.stderr);
  });
}

/** Makes a torrent of a folder whose parent is named for the version; its path. */
async function makeTorrent(version: string): Promise<string> {
  const out = desk.at(`${version}.torrent`);
  const made = await desk.run(['create', desk.at(version, 'film'), '--out', out, '--json']);
  assert.equal(made.code, 0, made.stderr);
  return out;
}

async function seed(version: string): Promise<void> {
  const from = ['--from', desk.at(version), '--port', '0'];
  const seeder = desk.start(
    ['seed', desk.at(`${version}.torrent`), ...from, ...inDht()],
    `${version}-home`,
  );
  await portOf(seeder);
}

test('a key is enough to download, and what it names later takes the place', async () => {
  await writeRandomFile(desk.at('v1', 'film', 'same.bin'), 1_000_000);
  await cp(desk.at('v1'), desk.at('v2'), { recursive: true });
  await writeRandomFile(desk.at('v1', 'film', 'z-other.bin'), 300_000);
  await writeRandomFile(desk.at('v2', 'film', 'z-other.bin'), 200_000);
  const [one, two] = [await makeTorrent('v1'), await makeTorrent('v2')];
  await Promise.all([seed('v1'), seed('v2')]);
  const { link, infoHash } = await done(['publish', one, '--salt', 'film']);
  assert.match(`${link}`, /^magnet:\?xs=urn:btpk:[0-9a-f]{64}&s=66696c6d$/);

  const to = ['--to', desk.at('copy'), '--seed', '--update-every', '1s', '--port', '0'];
  const follower = desk.start(['download', `${link}`, ...to, ...inDht()], 'follower');
  const first = await follower.waitForLine((line) => line.event === 'version');
  assert.equal(first['infoHash'], infoHash);
  await follower.waitForLine((line) => line.event === 'complete');
  assert.deepEqual(await digestTree(desk.at('copy')), await digestTree(desk.at('v1')));
  const peers = await done(['dht', 'peers', `${infoHash}`]);
  assert.ok(Number(peers['seeders']) >= 1 && Array.isArray(peers['peers']), JSON.stringify(peers));

  const later = await done(['publish', two, '--salt', 'film']);
  assert.equal(later['link'], link);
  const isLater = (line: JsonLine): boolean => line['infoHash'] === later['infoHash'];
  await follower.waitForLine((line) => line.event === 'version' && isLater(line));
  await follower.waitForLine((line) => line.event === 'complete' && isLater(line));
  assert.deepEqual(await digestTree(desk.at('copy')), await digestTree(desk.at('v2')));
  await follower.stop();
  // What both have was on the disk.
  const { bytes, receivedBytes } = follower.lines().at(-1) ?? {};
  assert.equal(bytes, 1_200_000);
  assert.ok(Number(receivedBytes) < 300_000, `${receivedBytes}`);
});

test('whoever is joined is listed; a node that nobody answers says so', async () => {
  const { families, nodes } = await done(['dht', 'nodes']);
  const ports = (nodes as readonly { port: number }[]).map(({ port }) => port);
  assert.ok(ports.includes(keeper.port), `${ports}`);
  assert.ok(Array.isArray(families));
  const { code } = await unanswered.ended;
  assert.equal(code, 1);
  assert.match(unanswered.output().trim(), /^bidwidth: no node of the DHT answers: .*$/);
});
