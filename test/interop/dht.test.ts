/** Our DHT node among libtorrent's, on loopback: each finds what the other announced or stored. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DhtService, type DhtServiceOptions } from '../../src/platform/dht/index.ts';
import { type Child, startChild } from '../support/children.ts';
import { canRun } from './availability.ts';
import { libtorrent } from './clients/libtorrent.ts';

const SCRIPT = fileURLToPath(new URL('clients/libtorrent_dht.py', import.meta.url));
const TIMEOUT_MS = 90_000;

/** libtorrent's node; where it is once it listens. */
async function startTheirs(args: readonly string[]): Promise<{ child: Child; node: string }> {
  const child = startChild('/usr/bin/python3', [SCRIPT, ...args]);
  const { port } = await child.waitForLine((line) => line.event === 'listening');
  return { child, node: `127.0.0.1:${port}` };
}

function startOurs(node: string, options: Partial<DhtServiceOptions> = {}): Promise<DhtService> {
  const [host = '', port] = node.split(':');
  return DhtService.start({
    ...{ port: 0, bindHost: '127.0.0.1', file: null, isReadOnly: false },
    routers: [{ host, port: Number(port) }],
    ...options,
  });
}

/** The first peer of a torrent that a service hears of. */
function firstPeer(service: DhtService, infoHash: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const onPeers = ([peer]: readonly { host: string; port: number }[]): void => {
      resolve(`${peer?.host}:${peer?.port}`);
    };
    service.follow({ infoHash, port: 0, isSeed: () => false, onPeers });
  });
}

test('libtorrent finds the peer we announce', { timeout: TIMEOUT_MS }, async (t) => {
  if (!canRun(t, [libtorrent])) return;
  const infoHash = randomBytes(20);
  const keeper = await startTheirs([]);
  const service = await startOurs(keeper.node);
  service.follow({ infoHash, port: 7002, isSeed: () => true, onPeers: () => {} });
  const asker = await startTheirs(['--node', keeper.node, '--get', infoHash.toString('hex')]);
  try {
    const { peers } = await asker.child.waitForLine(
      (line) => line.event === 'peers' && Array.isArray(line['peers']) && line['peers'].length > 0,
    );
    assert.deepEqual(peers, ['127.0.0.1:7002']);
  } finally {
    await service.stop();
    await asker.child.stop();
    await keeper.child.stop();
  }
});

test('we find the peer libtorrent announces', { timeout: TIMEOUT_MS }, async (t) => {
  if (!canRun(t, [libtorrent])) return;
  const infoHash = randomBytes(20);
  const keeper = await startTheirs([]);
  const announcer = await startTheirs([
    ...['--node', keeper.node, '--announce', infoHash.toString('hex')],
  ]);
  // Answers nobody, so that nothing can have been announced to it.
  const service = await startOurs(keeper.node, { isReadOnly: true });
  try {
    assert.equal(await firstPeer(service, infoHash), announcer.node);
  } finally {
    await service.stop();
    await announcer.child.stop();
    await keeper.child.stop();
  }
});

test('two of ours meet through libtorrent, which knows both', {
  timeout: TIMEOUT_MS,
}, async (t) => {
  if (!canRun(t, [libtorrent])) return;
  const infoHash = randomBytes(20);
  const keeper = await startTheirs([]);
  const one = await startOurs(keeper.node, { isReadOnly: true });
  const other = await startOurs(keeper.node, { isReadOnly: true });
  try {
    one.follow({ infoHash, port: 7003, isSeed: () => false, onPeers: () => {} });
    assert.equal(await firstPeer(other, infoHash), '127.0.0.1:7003');
  } finally {
    await one.stop();
    await other.stop();
    await keeper.child.stop();
  }
});

test('items go both ways (BEP 44)', { timeout: TIMEOUT_MS }, async (t) => {
  if (!canRun(t, [libtorrent])) return;
  const hash = (text: string): Buffer => createHash('sha1').update(text).digest();
  const [theirs, ours] = ['from libtorrent', 'from Bidwidth'];
  const [theirValue, ourValue] = [`${theirs.length}:${theirs}`, `${ours.length}:${ours}`];
  const service = await startOurs('127.0.0.1:9');
  const node = await startTheirs([
    ...['--node', `127.0.0.1:${service.port}`, '--put-text', theirs],
    ...['--get-item', hash(ourValue).toString('hex')],
  ]);
  const client = await startOurs(`127.0.0.1:${service.port}`, { isReadOnly: true });
  try {
    await node.child.waitForLine((line) => line.event === 'put' && Number(line['count']) > 0);
    const found = await client.getImmutable(hash(theirValue));
    assert.equal(Buffer.from(found?.value ?? []).toString(), theirValue);
    const put = await client.putItem({ kind: 'immutable', value: Buffer.from(ourValue) });
    assert.ok(put.storedCount >= 1, `${put.errorCodes}`);
    const line = await node.child.waitForLine(
      ({ event, value }) => event === 'item' && value === ours,
    );
    assert.equal(line['target'], hash(ourValue).toString('hex'));
  } finally {
    await service.stop();
    await client.stop();
    await node.child.stop();
  }
});
