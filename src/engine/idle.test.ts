import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beginTorrent,
  makeMemoryTorrent,
  SIM_PORT,
  startEngine,
  VirtualClock,
  VirtualNetwork,
} from '../sim/index.ts';
import { seededRandom } from '../units/index.ts';

/** Two engines on one clock. The first knows a torrent only when it is roused. */
function meeting(rouse: (key: string) => boolean) {
  const clock = new VirtualClock();
  const random = seededRandom(7);
  const network = new VirtualNetwork(clock, random);
  const memory = makeMemoryTorrent({ totalBytes: 200_000 }, random);
  const seed = startEngine(network, '10.0.0.1', { deps: { rouse } });
  const leech = startEngine(network, '10.0.1.1');
  const wake = () => beginTorrent(seed, memory, { clock, isSeed: true }).torrent;
  const download = () => {
    const { torrent, store } = beginTorrent(leech, memory, { clock, isSeed: false });
    torrent.addPeers([{ host: '10.0.0.1', port: SIM_PORT }], 'user');
    return { torrent, store };
  };
  return { clock, memory, seed, leech, wake, download };
}

test('a peer that asks for a sleeping torrent waits until it is awake, then downloads it', () => {
  const called: string[] = [];
  const { clock, memory, seed, leech, wake, download } = meeting((key) => {
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
  assert.equal(Buffer.compare(store.bytes, memory.whole), 0);
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
  const { clock, memory, seed, wake, download } = meeting(() => false);
  const served = wake();
  let samplesOfServed = 0;
  served.sample = () => samplesOfServed++;
  let samplesOfIdle = 0;
  for (let nth = 0; nth < 100; nth++) {
    const infoHash = new Uint8Array(20).fill(nth + 1);
    const idle = beginTorrent(seed, { ...memory, infoHash }, { clock, isSeed: true }).torrent;
    idle.sample = () => samplesOfIdle++;
  }
  download();
  clock.run(5_000);
  assert.ok(samplesOfServed > 0);
  assert.equal(samplesOfIdle, 0);
});
