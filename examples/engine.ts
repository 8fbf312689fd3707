/**
 * Two engines in one process, without sockets, disks or a real clock: a seed and a downloader.
 * Everything the engine needs comes in as a port, so here all of it is memory and virtual time.
 * Run: node examples/engine.ts
 */
import { Engine } from '../src/engine/index.ts';
import { MemoryNetwork } from '../src/engine/testing/memory-network.ts';
import {
  MemoryStore,
  makeMemoryTorrent,
  testHasher,
} from '../src/engine/testing/memory-torrent.ts';
import { VirtualClock } from '../src/engine/testing/virtual-clock.ts';
import { Bitfield, equalBytes, formatSize, seededRandom } from '../src/units/index.ts';

const random = seededRandom(1);
const clock = new VirtualClock();
const network = new MemoryNetwork(clock, random, { latencyMs: 20, bytesPerSecond: 4e6 });
const { content, infoHash, whole } = makeMemoryTorrent(
  { pieceLengthBytes: 65_536, totalBytes: 5_000_000 },
  random,
);
const nothing = (): void => {};
const pieceCount = Math.ceil(content.totalBytes / content.pieceLengthBytes);

/** A client at `host` that has all pieces on its disk, or none. */
function startNode(host: string, isSeed: boolean) {
  const dialer = network.dialerOf(host);
  const deps = { dialer, hasher: testHasher, random, extensions: [], uploadPolicy: null };
  const engine = new Engine(deps, { clientName: 'example' });
  network.listen(host, 6881, (connection) => engine.accept(connection));
  const tick = (): void => {
    engine.tick(clock.now);
    clock.after(50, tick);
  };
  tick();
  const onFailed = (failure: Error): void => console.error(failure.message);
  const quiet = { onMetadata: nothing, onPiece: nothing, onComplete: nothing, onBan: nothing };
  const torrent = engine.add(infoHash, { ...quiet, onFailed });
  const store = new MemoryStore(clock, content);
  const have = new Bitfield(pieceCount);
  if (isSeed) {
    store.bytes.set(whole);
    for (let piece = 0; piece < pieceCount; piece++) have.set(piece);
  }
  torrent.begin(content, have, store);
  return { torrent, store };
}

startNode('10.0.0.1', true);
const { torrent, store } = startNode('10.0.0.2', false);
torrent.addPeers([{ host: '10.0.0.1', port: 6881 }], 'user');

const startedAt = clock.now;
clock.run(60_000, () => torrent.snapshot().goodPieces === pieceCount);
const seconds = Math.round((clock.now - startedAt) / 1000);
console.log(`${formatSize(content.totalBytes)} in ${seconds} s of virtual time`);
console.log(`${pieceCount} pieces, equal to the seed's: ${equalBytes(store.bytes, whole)}`);
