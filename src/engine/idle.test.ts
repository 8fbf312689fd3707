import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield, seededRandom } from '../units/index.ts';
import { Engine, type Torrent, type TorrentEvents } from './index.ts';
import { MemoryNetwork } from './testing/memory-network.ts';
import { MemoryStore, makeMemoryTorrent, testHasher } from './testing/memory-torrent.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const SILENT: TorrentEvents = {
  onMetadata: () => {},
  onPiece: () => {},
  onComplete: () => {},
  onFailed: () => {},
  onBan: () => {},
};

/** Two engines on one clock. The first knows a torrent only when it is roused. */
function meeting(rouse: (key: string) => boolean): {
  clock: VirtualClock;
  seed: Engine;
  leech: Engine;
  wake: () => Torrent;
  download: () => { torrent: Torrent; store: MemoryStore };
  whole: Uint8Array;
} {
  const clock = new VirtualClock();
  const random = seededRandom(7);
  const network = new MemoryNetwork(clock, random);
  const memory = makeMemoryTorrent({ pieceLengthBytes: 32 * 1024, totalBytes: 200_000 }, random);
  const { content, infoHash, whole } = memory;
  const pieceCount = Math.ceil(content.totalBytes / content.pieceLengthBytes);
  const make = (host: string): Engine => {
    const dialer = network.dialerOf(host);
    const basics = { hasher: testHasher, random, extensions: [], uploadPolicy: null };
    const engine = new Engine({ dialer, ...basics, rouse }, { clientName: 'idle' });
    network.listen(host, 6881, (connection) => engine.accept(connection));
    const tick = (): void => {
      engine.tick(clock.now);
      clock.after(50, tick);
    };
    tick();
    return engine;
  };
  const [seed, leech] = [make('10.0.0.1'), make('10.0.1.1')];
  const wake = (): Torrent => {
    const store = new MemoryStore(clock, content);
    store.bytes.set(whole);
    const have = new Bitfield(pieceCount);
    have.setAll();
    const torrent = seed.add(infoHash, SILENT);
    torrent.begin(content, have, store);
    return torrent;
  };
  const download = (): { torrent: Torrent; store: MemoryStore } => {
    const store = new MemoryStore(clock, content);
    const torrent = leech.add(infoHash, SILENT);
    torrent.begin(content, new Bitfield(pieceCount), store);
    torrent.addPeers([{ host: '10.0.0.1', port: 6881 }], 'user');
    return { torrent, store };
  };
  return { clock, seed, leech, wake, download, whole };
}

test('a peer that asks for a sleeping torrent waits until it is awake, then downloads it', () => {
  const called: string[] = [];
  const { clock, seed, leech, wake, download, whole } = meeting((key) => {
    called.push(key);
    return true;
  });
  const { torrent, store } = download();
  clock.run(2_000);
  assert.deepEqual(called, [torrent.key]);
  assert.equal(torrent.phase, 'downloading');
  assert.equal(seed.torrents.size, 0);
  wake();
  assert.equal(
    clock.run(60_000, () => torrent.phase === 'seeding'),
    true,
  );
  assert.equal(Buffer.compare(store.bytes, whole), 0);
  leech.stop();
});

test('a peer whose torrent does not wake in time is let go, and comes again', () => {
  let calls = 0;
  const { clock, wake, download } = meeting(() => {
    calls++;
    return true;
  });
  const { torrent } = download();
  clock.run(30_000);
  assert.ok(calls >= 2, `called ${calls} times`);
  assert.equal(torrent.peers.size, 0);
  wake();
  assert.equal(
    clock.run(60_000, () => torrent.phase === 'seeding'),
    true,
  );
});

test('a torrent nobody has is refused at once', () => {
  const { clock, download, leech } = meeting(() => false);
  const { torrent } = download();
  clock.run(1_000);
  assert.equal(torrent.peers.size, 0);
  leech.stop();
});

test('only torrents with peers are looked at', () => {
  const { clock, seed, wake, download } = meeting(() => false);
  const served = wake();
  let samplesOfServed = 0;
  served.sample = () => samplesOfServed++;
  let samplesOfIdle = 0;
  for (let nth = 0; nth < 100; nth++) {
    const idle = seed.add(new Uint8Array(20).fill(nth + 1), SILENT);
    idle.sample = () => samplesOfIdle++;
  }
  download();
  clock.run(5_000);
  assert.ok(samplesOfServed > 0);
  assert.equal(samplesOfIdle, 0);
});
