import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ed25519PublicKey } from '../../platform/dht/index.ts';
import { toHex } from '../../units/index.ts';
import { type DhtItem, encodeTorrentPointer, formatMutableMagnet } from '../../wire/index.ts';
import { type ItemDht, MutableTorrent, putItem } from './index.ts';

const SECRET = new Uint8Array(randomBytes(32));
const salt = new Uint8Array();
const text = formatMutableMagnet({ publicKey: ed25519PublicKey(SECRET), salt });
const [FIRST, SECOND] = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)];

/** A DHT that holds one item, whatever it is: nodes may be old or wicked. */
class OneItem implements ItemDht {
  item: DhtItem | null = null;

  async getItem(): Promise<DhtItem | null> {
    return this.item;
  }

  async putItem(item: DhtItem): Promise<{ storedCount: number; errorCodes: readonly number[] }> {
    this.item = item;
    return { storedCount: 1, errorCodes: [] };
  }

  async sign(infoHash: Uint8Array, sequence: bigint): Promise<DhtItem> {
    const signer = { secret: SECRET, salt, sequence };
    return (await putItem(this, { value: encodeTorrentPointer(infoHash), signer })).item;
  }
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bidwidth-followed-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('nobody leads back to an older version, also not after a restart', async (t) => {
  const folder = await folderOf(t);
  const dht = new OneItem();
  const older = await dht.sign(FIRST, 1n);
  const newer = await dht.sign(SECOND, 2n);
  await (await MutableTorrent.open({ dht, text, folder })).look();
  dht.item = older;
  const again = await MutableTorrent.open({ dht, text, folder });
  await again.look();
  assert.deepEqual(again.version, { infoHash: SECOND, sequence: 2n });
  assert.deepEqual(dht.item, newer, 'the DHT is given the newer one back');
});

test('what the DHT has forgotten is remembered, and put there again', async (t) => {
  const folder = await folderOf(t);
  const dht = new OneItem();
  const item = await dht.sign(FIRST, 1n);
  await (await MutableTorrent.open({ dht, text, folder })).look();
  dht.item = null;
  const again = await MutableTorrent.open({ dht, text, folder });
  await again.look();
  assert.deepEqual(again.version?.infoHash, FIRST);
  assert.deepEqual(dht.item, item);
});

test('what the key has not signed is not believed, though it stands in the file', async (t) => {
  const folder = await folderOf(t);
  const dht = new OneItem();
  await dht.sign(FIRST, 1n);
  await (await MutableTorrent.open({ dht, text, folder })).look();
  const [name = ''] = await readdir(folder);
  const forged = { sequence: '9', value: toHex(encodeTorrentPointer(SECOND)), signature: '00' };
  for (const content of [JSON.stringify(forged), '{', '{}', 'null']) {
    await writeFile(join(folder, name), content);
    assert.equal((await MutableTorrent.open({ dht, text, folder })).version, null, content);
  }
});

test('the next version is another torrent, not the same one signed again', async (t) => {
  const dht = new OneItem();
  await dht.sign(FIRST, 1n);
  const torrent = await MutableTorrent.open({ dht, text, folder: await folderOf(t) });
  await torrent.look();
  const looks: DhtItem[] = [];
  for (const [hash, sequence] of [
    [FIRST, 2n],
    [FIRST, 3n],
    [SECOND, 4n],
  ] as const) {
    looks.push(await dht.sign(hash, sequence));
  }
  dht.getItem = async () => looks.shift() ?? null;
  const next = await torrent.next(1, new AbortController().signal);
  assert.deepEqual(next, { infoHash: SECOND, sequence: 4n });
});

test('a link that names a torrent, too, is as good while nobody has the item', async (t) => {
  const folder = await folderOf(t);
  const dht = new OneItem();
  const both = `${text}&xt=urn:btih:${toHex(FIRST)}`;
  const torrent = await MutableTorrent.open({ dht, text: both, folder });
  await torrent.look();
  assert.deepEqual([torrent.version, torrent.source], [null, { kind: 'magnet', text: both }]);
  const plain = await MutableTorrent.open({ dht, text, folder });
  assert.equal(plain.source, null);
});
