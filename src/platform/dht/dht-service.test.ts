import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Endpoint, mutableTarget, signedBytes } from '../../wire/index.ts';
import { startTestProxy } from '../egress/testing/proxies.ts';
import { ed25519PublicKey, sha1, signEd25519, verifyEd25519 } from './dht-crypto.ts';
import { loadDhtFile, saveDhtFile } from './dht-file.ts';
import { DhtService, type DhtServiceOptions } from './dht-service.ts';

const ALONE: DhtServiceOptions = {
  ...{ port: 0, bindHost: '127.0.0.1', file: null, routers: [], isReadOnly: false },
};

function near(service: DhtService): DhtServiceOptions {
  return { ...ALONE, routers: [{ host: '127.0.0.1', port: service.port }] };
}

async function makeFolder(t: { after(end: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bidwidth-dht-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A node, and a torrent that another one has announced to it. */
async function announcedTorrent(t: TestContext): Promise<{ keeper: DhtService; infoHash: Buffer }> {
  const keeper = await DhtService.start(ALONE);
  t.after(() => keeper.stop());
  const announcer = await DhtService.start(near(keeper));
  t.after(() => announcer.stop());
  const infoHash = randomBytes(20);
  announcer.follow({ infoHash, port: 7001, isSeed: () => true, onPeers: () => {} });
  return { keeper, infoHash };
}

test('a peer announced over real sockets is found by another node', async (t) => {
  const { keeper, infoHash } = await announcedTorrent(t);
  const asker = await DhtService.start({ ...near(keeper), isReadOnly: true });
  t.after(() => asker.stop());
  const peers = await new Promise<readonly Endpoint[]>((resolve) => {
    asker.follow({ infoHash, port: 0, isSeed: () => false, onPeers: resolve });
  });
  assert.deepEqual(peers, [{ host: '127.0.0.1', port: 7001 }]);
});

test('a node that starts again knows its id and its nodes without any router', async (t) => {
  const file = join(await makeFolder(t), 'dht.json');
  const other = await DhtService.start(ALONE);
  t.after(() => other.stop());
  const first = await DhtService.start({ ...near(other), file });
  await until(() => first.status()[0]?.nodeCount === 1);
  const id = first.status()[0]?.localId;
  await first.stop();
  const again = await DhtService.start({ ...ALONE, file });
  t.after(() => again.stop());
  await until(() => again.status()[0]?.nodeCount === 1);
  assert.deepEqual(again.status()[0]?.localId, id);
});

test('through a proxy peers are found by a router that only the proxy can look up', async (t) => {
  const file = join(await makeFolder(t), 'dht.json');
  const { keeper, infoHash } = await announcedTorrent(t);
  const names = { 'router.test': '127.0.0.1' };
  await using proxy = await startTestProxy({ kind: 'socks5', udp: {}, names });
  const routers = [{ host: 'router.test', port: keeper.port }];
  const more = { proxy: proxy.address, bindHost: null, routers, file };
  const asker = await DhtService.start({ ...ALONE, ...more });
  assert.equal(asker.port, 0);
  const peers = await new Promise<readonly Endpoint[]>((resolve) => {
    asker.follow({ infoHash, port: 7002, isSeed: () => false, onPeers: resolve });
  });
  assert.deepEqual(peers, [{ host: '127.0.0.1', port: 7001 }]);
  assert.equal(proxy.relayed[0], `router.test:${keeper.port}`);
  await asker.stop();
  // Its id would tell who we are: it is bound to an address.
  await assert.rejects(readFile(file));
  assert.equal(keeper.status()[0]?.torrentCount, 1);
  assert.equal(keeper.status()[0]?.nodeCount, 1, 'who asks through a proxy is in no table');
});

test('a proxy that refuses datagrams ends it in one line', async (t) => {
  await using proxy = await startTestProxy({ kind: 'socks5' });
  const line = await new Promise<string>((onNotice) => {
    const routers = [{ host: 'router.test', port: 6881 }];
    const more = { proxy: proxy.address, bindHost: null, routers, onNotice };
    const service = DhtService.start({ ...ALONE, ...more });
    t.after(async () => (await service).stop());
  });
  assert.match(line, /carries no UDP: it refuses to; uTP, the DHT and UDP trackers are off$/);
});

test('the file is written whole, and a broken one is as good as none', async (t) => {
  const folder = await makeFolder(t);
  const file = join(folder, 'deep', 'dht.json');
  const contacts = [{ id: new Uint8Array(20).fill(9), host: '2001:db8::7', port: 6881 }];
  const saved = [{ family: 6 as const, localId: new Uint8Array(20).fill(1), contacts }];
  await saveDhtFile(file, saved);
  assert.deepEqual(await loadDhtFile(file), saved);
  assert.deepEqual(await readdir(join(folder, 'deep')), ['dht.json']);
  for (const text of ['', '{"version":1', '{"version":2,"v4":"AAAA"}', '{"version":1,"v4":7}']) {
    await writeFile(file, text);
    assert.deepEqual(await loadDhtFile(file), [], text);
  }
  assert.deepEqual(await loadDhtFile(join(folder, 'none')), []);
});

test('a mutable item signed by the system is kept, and another signature is not', async (t) => {
  const keeper = await DhtService.start(ALONE);
  t.after(() => keeper.stop());
  const client = await DhtService.start(near(keeper));
  t.after(() => client.stop());
  await until(() => client.status()[0]?.nodeCount === 1);
  const secret = randomBytes(32);
  const publicKey = ed25519PublicKey(secret);
  const part = { value: Buffer.from('5:hello'), salt: new Uint8Array(), sequence: 1n };
  const signature = signEd25519(signedBytes(part), secret);
  const item = { kind: 'mutable', publicKey, signature, ...part } as const;
  const forged = { ...item, sequence: 2n };
  assert.deepEqual(await client.putItem(forged), { storedCount: 0, errorCodes: [206] });
  assert.deepEqual(await client.putItem(item), { storedCount: 1, errorCodes: [] });
  const found = await client.getItem(mutableTarget(publicKey, part.salt, sha1));
  assert.ok(found?.kind === 'mutable');
  assert.equal(Buffer.from(found.value).toString(), '5:hello');
  assert.equal(verifyEd25519(signature, signedBytes(part), new Uint8Array(32).fill(255)), false);
});

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!isSo()) {
    assert.ok(performance.now() < deadline, 'it never became so');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
