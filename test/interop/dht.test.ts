/** Our DHT node among libtorrent's, on loopback: each finds what the other announced or stored. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { putItem } from '../../src/daemon/dht/index.ts';
import {
  DhtService,
  type DhtServiceOptions,
  ed25519PublicKey,
  sha1,
} from '../../src/platform/dht/index.ts';
import { hostAndPort } from '../../src/units/index.ts';
import { encodeTorrentPointer, mutableTarget } from '../../src/wire/index.ts';
import type { Endpoint } from '../support/ports.ts';
import { canRun } from './availability.ts';
import { libtorrent } from './clients/libtorrent.ts';
import { startLibtorrentDht } from './clients/libtorrent-dht.ts';

const TIMEOUT_MS = 180_000;

function startOurs(node: Endpoint, options: Partial<DhtServiceOptions> = {}): Promise<DhtService> {
  return DhtService.start({
    ...{ port: 0, bindHost: '127.0.0.1', file: null, isReadOnly: false, routers: [node] },
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
  const keeper = await startLibtorrentDht([]);
  const service = await startOurs(keeper.node);
  service.follow({ infoHash, port: 7002, isSeed: () => true, onPeers: () => {} });
  const asker = await startLibtorrentDht([
    '--node',
    hostAndPort(keeper.node),
    '--get',
    infoHash.toString('hex'),
  ]);
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
  const keeper = await startLibtorrentDht([]);
  const announcer = await startLibtorrentDht([
    ...['--node', hostAndPort(keeper.node), '--announce', infoHash.toString('hex')],
  ]);
  // Answers nobody, so that nothing can have been announced to it.
  const service = await startOurs(keeper.node, { isReadOnly: true });
  try {
    assert.equal(await firstPeer(service, infoHash), hostAndPort(announcer.node));
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
  const keeper = await startLibtorrentDht([]);
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

test('immutable items go both ways (BEP 44)', { timeout: TIMEOUT_MS }, async (t) => {
  if (!canRun(t, [libtorrent])) return;
  const hash = (text: string): Buffer => createHash('sha1').update(text).digest();
  const [theirs, ours] = ['from libtorrent', 'from Bidwidth'];
  const [theirValue, ourValue] = [`${theirs.length}:${theirs}`, `${ours.length}:${ours}`];
  const service = await startOurs({ host: '127.0.0.1', port: 9 });
  const node = await startLibtorrentDht([
    ...['--node', `127.0.0.1:${service.port}`, '--put-text', theirs],
    ...['--get-item', hash(ourValue).toString('hex')],
  ]);
  const client = await startOurs({ host: '127.0.0.1', port: service.port }, { isReadOnly: true });
  try {
    await node.child.waitForLine((line) => line.event === 'put' && Number(line['count']) > 0);
    const found = await client.getItem(hash(theirValue));
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

test('libtorrent reads which torrent a key of ours names (BEP 46)', {
  timeout: TIMEOUT_MS,
}, async (t) => {
  if (!canRun(t, [libtorrent])) return;
  const [secret, infoHash, salt] = [randomBytes(32), randomBytes(20), Buffer.from('film')];
  const key = Buffer.from(ed25519PublicKey(secret)).toString('hex');
  const keeper = await startOurs({ host: '127.0.0.1', port: 9 });
  const named = ['--get-signed', key, salt.toString('hex')];
  const reader = await startLibtorrentDht(['--node', `127.0.0.1:${keeper.port}`, ...named]);
  const client = await startOurs({ host: '127.0.0.1', port: keeper.port }, { isReadOnly: true });
  try {
    await client.join();
    const signer = { secret, salt, sequence: 5n };
    const { item } = await putItem(client, { value: encodeTorrentPointer(infoHash), signer });
    const line = await reader.child.waitForLine(({ event }) => event === 'signed');
    assert.ok(item.kind === 'mutable');
    const signature = Buffer.from(item.signature).toString('hex');
    assert.deepEqual(line, { event: 'signed', key, sequence: 5, signature });
  } finally {
    await client.stop();
    await keeper.stop();
    await reader.child.stop();
  }
});

test('we read what libtorrent signed, and the newest of it', { timeout: TIMEOUT_MS }, async (t) => {
  if (!canRun(t, [libtorrent])) return;
  const [secret, salt] = [randomBytes(32), Buffer.from('n')];
  const publicKey = ed25519PublicKey(secret);
  const keeper = await startOurs({ host: '127.0.0.1', port: 9 });
  const key = Buffer.from(publicKey).toString('hex');
  const signed = ['--put-signed', 'from libtorrent', secret.toString('hex'), key, '6e'];
  const writer = await startLibtorrentDht(['--node', `127.0.0.1:${keeper.port}`, ...signed]);
  const client = await startOurs({ host: '127.0.0.1', port: keeper.port }, { isReadOnly: true });
  try {
    await client.join();
    await writer.child.waitForLine((line) => line.event === 'put' && Number(line['count']) > 0);
    const theirs = await client.getItem(mutableTarget(publicKey, salt, sha1), salt);
    assert.ok(theirs?.kind === 'mutable');
    assert.equal(Buffer.from(theirs.value).toString(), '15:from libtorrent');
    // Ours is later, and takes its place also at libtorrent's node.
    const value = Buffer.from('4:ours');
    const { item, storedCount } = await putItem(client, {
      value,
      signer: { secret, salt, sequence: theirs.sequence + 1_000_000n },
    });
    assert.ok(storedCount >= 2, `${storedCount}`);
    const found = await client.getItem(mutableTarget(publicKey, salt, sha1), salt);
    assert.ok(found?.kind === 'mutable' && item.kind === 'mutable');
    assert.deepEqual([found.value, found.sequence], [item.value, item.sequence]);
  } finally {
    await client.stop();
    await keeper.stop();
    await writer.child.stop();
  }
});
