/**
 * Two engines in one process, without sockets, disks or a real clock: a seed and a downloader.
 * Everything the engine needs comes in as a port, so here all of it is memory and virtual time.
 * Run: node examples/engine.ts
 */
import {
  beginTorrent,
  makeMemoryTorrent,
  SIM_PORT,
  startEngine,
  VirtualClock,
  VirtualNetwork,
} from '../src/sim/index.ts';
import { equalBytes, formatSize, seededRandom } from '../src/units/index.ts';

const random = seededRandom(1);
const clock = new VirtualClock();
const network = new VirtualNetwork(clock, random, { latencyMs: 20, bytesPerSecond: 4e6 });
const memory = makeMemoryTorrent({ pieceLengthBytes: 65_536, totalBytes: 5_000_000 }, random);

beginTorrent(startEngine(network, '10.0.0.1'), memory, { clock, isSeed: true });
const downloader = startEngine(network, '10.0.0.2');
const { torrent, store } = beginTorrent(downloader, memory, { clock, isSeed: false });
torrent.addPeers([{ host: '10.0.0.1', port: SIM_PORT }], 'user');

const startedAt = clock.now;
clock.run(60_000, () => torrent.snapshot().goodPieces === memory.pieceCount);
const seconds = Math.round((clock.now - startedAt) / 1000);
console.log(`${formatSize(memory.content.totalBytes)} in ${seconds} s of virtual time`);
console.log(`${memory.pieceCount} pieces, as the seed's: ${equalBytes(store.bytes, memory.whole)}`);
