/** Fuzzed bytes as a peer of a torrent at work: of one that downloads, and of one that seeds. */
import type { Connection, ConnectionEvents, Engine, Torrent } from '../../src/engine/index.ts';
import {
  beginTorrent,
  type MemoryTorrent,
  makeMemoryTorrent,
  startEngine,
  VirtualClock,
  VirtualNetwork,
} from '../../src/sim/index.ts';
import { seededRandom } from '../../src/units/index.ts';
import { HANDSHAKE_BYTES } from '../../src/wire/index.ts';
import { chunksOf } from './streams.ts';

/** A hybrid of two files, 20,000 bytes in two pieces and one byte, with padding behind both. */
const SHAPE = { pieceLengthBytes: 16_384, fileLengths: [20_000, 1], isHybrid: true };
const torrent = makeMemoryTorrent(SHAPE, seededRandom(1));
/** What a magnet knows once it has the info dictionary: piece layers come from peers. */
const withoutLayers: MemoryTorrent = {
  ...torrent,
  content: {
    ...torrent.content,
    hashedFiles: (torrent.content.hashedFiles ?? []).map((file) => ({ ...file, layer: null })),
  },
};

const UNHEARD = { onOpen: () => {}, onDrain: () => {}, onClosed: () => {} };

/** Chunks read at a time, before the clock goes on. */
const CHUNKS_PER_STEP = 12;
const STEP_MS = 30;

/** A downloading torrent meets who says this, its handshake included. */
export function meetLeecher(input: Uint8Array): void {
  meet(input, false);
}

/** A seeding one does. */
export function meetSeed(input: Uint8Array): void {
  meet(input, true);
}

/** What a seed and a leecher say to each other until the leecher has it all. */
export function torrentTalk(): { readonly ofSeed: Uint8Array; readonly ofLeecher: Uint8Array } {
  const { clock, network } = makeNetwork(1);
  const seed = startEngine(network, '192.0.2.1');
  const leecher = startEngine(network, '192.0.2.2');
  begin(seed, clock, true);
  const download = begin(leecher, clock, false);
  const said: [Uint8Array[], Uint8Array[]] = [[], []];
  network.listen('192.0.2.3', 6881, (far) => {
    // Between the two: hears both, and passes everything on.
    let isOpen = false;
    const waiting: Uint8Array[] = [];
    const near: Connection = network.dialerOf('192.0.2.3').connect('192.0.2.1', 6881, {
      ...UNHEARD,
      onOpen: () => {
        isOpen = true;
        near.write(waiting);
      },
      onBytes: (view) => {
        said[0].push(view.slice());
        far.write([view.slice()]);
      },
    });
    const onBytes = (view: Uint8Array): void => {
      said[1].push(view.slice());
      if (isOpen) near.write([view.slice()]);
      else waiting.push(view.slice());
    };
    return { ...UNHEARD, onBytes };
  });
  download.addPeers([{ host: '192.0.2.3', port: 6881 }], 'tracker');
  clock.run(10_000);
  if (download.snapshot().remainingBytes > 0) throw new Error('the recorded download got stuck');
  const [ofSeed, ofLeecher] = said.map((list) => new Uint8Array(Buffer.concat(list)));
  return { ofSeed: ofSeed ?? new Uint8Array(0), ofLeecher: ofLeecher ?? new Uint8Array(0) };
}

function meet(input: Uint8Array, isSeed: boolean): void {
  // Not the recorded one's: it would be taken for ourselves.
  const { clock, network } = makeNetwork(2);
  const engine = startEngine(network, '192.0.2.2');
  begin(engine, clock, isSeed);
  const events = accept(engine);
  let count = 0;
  // What shakes no hands gets no further: that is another target's.
  events.onBytes(input.slice(0, HANDSHAKE_BYTES));
  for (const chunk of chunksOf(input.subarray(HANDSHAKE_BYTES))) {
    events.onBytes(chunk);
    if (++count % CHUNKS_PER_STEP === 0) clock.run(STEP_MS);
  }
  clock.run(STEP_MS);
  events.onClosed('the end');
  engine.stop();
  network.cutOff('192.0.2.2');
}

function begin(engine: Engine, clock: VirtualClock, isSeed: boolean): Torrent {
  const known = isSeed ? torrent : withoutLayers;
  const { torrent: begun } = beginTorrent(engine, known, { clock, isSeed });
  if (torrent.infoHashV2) engine.identify(begun, { v1: torrent.infoHash, v2: torrent.infoHashV2 });
  return begun;
}

function accept(engine: Engine): ConnectionEvents {
  const deaf: Connection = {
    ...{ remoteHost: '192.0.2.9', remotePort: 7, isOutbound: false, queuedBytes: 0 },
    write: (_parts: readonly Uint8Array[], done?: () => void) => done?.(),
    pauseReading: () => {},
    resumeReading: () => {},
    close: () => {},
  };
  return engine.accept(deaf);
}

function makeNetwork(seed: number): {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
} {
  const clock = new VirtualClock();
  return { clock, network: new VirtualNetwork(clock, seededRandom(seed)) };
}
