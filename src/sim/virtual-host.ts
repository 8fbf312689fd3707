/** A host of the virtual network with a real engine on it. */
import { classifyAddress } from '../discovery/index.ts';
import {
  Engine,
  type EngineDeps,
  type EngineOptions,
  type Torrent,
  type TorrentEvents,
} from '../engine/index.ts';
import { Bitfield } from '../units/index.ts';
import { MemoryStore } from './memory-store.ts';
import { type MemoryTorrent, virtualHasher } from './memory-torrent.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { Acceptor, VirtualNetwork } from './virtual-network.ts';

/** Where every host of the simulation listens. */
export const SIM_PORT = 6881;

/** As often as in the program. */
const TICK_MS = 50;

/** What differs from engine to engine. */
export interface HostTerms {
  readonly deps?: Partial<EngineDeps>;
  readonly engine?: Partial<EngineOptions>;
  /** Time between ticks; 50, as in the program, when absent. */
  readonly tickMs?: number;
  /** Called after each tick. */
  readonly onTick?: () => void;
}

/** Starts an engine at `host`, which dials, listens, and ticks until the host is cut off. */
export function startEngine(network: VirtualNetwork, host: string, terms: HostTerms = {}): Engine {
  const { clock, random } = network;
  const { tickMs = TICK_MS } = terms;
  const engine = new Engine(
    {
      dialer: network.dialerOf(host),
      hasher: virtualHasher(clock),
      random,
      extensions: [],
      classify: classifyAddress,
      uploadPolicy: null,
      ...terms.deps,
    },
    { clientName: 'simulated', ...terms.engine },
  );
  engine.tick(clock.now);
  engine.listenPort = SIM_PORT;
  const accept: Acceptor = (connection) => engine.accept(connection);
  network.listen(host, SIM_PORT, accept);
  const tick = (): void => {
    if (!network.isListening({ host, port: SIM_PORT }, accept)) return;
    engine.tick(clock.now);
    terms.onTick?.();
    clock.after(tickMs, tick);
  };
  clock.after(random() * tickMs, tick);
  return engine;
}

/** Nobody is told of anything; a failure is thrown. */
export const QUIET: TorrentEvents = {
  onMetadata: () => {},
  onPiece: () => {},
  onComplete: () => {},
  onFailed: (failure) => {
    throw failure;
  },
  onBan: () => {},
};

/** Begins a torrent in an engine that has all of it on its disk, or nothing. */
export function beginTorrent(
  engine: Engine,
  memory: MemoryTorrent,
  { clock, isSeed }: { readonly clock: VirtualClock; readonly isSeed: boolean },
): { readonly torrent: Torrent; readonly store: MemoryStore } {
  const store = new MemoryStore(clock, memory.content);
  const have = new Bitfield(memory.pieceCount);
  if (isSeed) {
    store.bytes.set(memory.whole);
    have.setAll();
  }
  const torrent = engine.add(memory.infoHash, QUIET, memory.infoHashV2);
  torrent.begin(memory.content, have, store);
  return { torrent, store };
}
