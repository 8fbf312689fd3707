import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beginTorrent,
  type MemoryTorrent,
  makeMemoryTorrent,
  SIM_PORT,
  startEngine,
  VirtualClock,
  VirtualNetwork,
} from '../sim/index.ts';
import { bytesPerSecond, seededRandom, UNLIMITED } from '../units/index.ts';
import { DownloadTap, type Tapped } from './download-tap.ts';
import type { Engine, Torrent } from './index.ts';
import { TokenBucket } from './token-bucket.ts';
import { TorrentLimits } from './torrent-limits.ts';

const PATH_RATE = 2_000_000;

interface Node {
  readonly engine: Engine;
  readonly torrents: readonly Torrent[];
}

/** Engines that each work on the same torrents, on paths of 2 MB/s a connection. */
class Stage {
  readonly clock: VirtualClock = new VirtualClock();
  readonly #random = seededRandom(7);
  readonly #network = new VirtualNetwork(this.clock, this.#random, { bytesPerSecond: PATH_RATE });
  readonly #memories: readonly MemoryTorrent[];
  #hosts = 0;

  constructor(torrentCount: number) {
    const shape = { pieceLengthBytes: 128 * 1024, totalBytes: 12_000_000 };
    this.#memories = Array.from({ length: torrentCount }, () =>
      makeMemoryTorrent(shape, this.#random),
    );
  }

  node(isSeed: boolean): Node {
    const engine = startEngine(this.#network, `10.0.0.${++this.#hosts}`);
    const torrents = this.#memories.map((memory) => {
      const { torrent } = beginTorrent(engine, memory, { clock: this.clock, isSeed });
      if (!isSeed) torrent.addPeers([{ host: '10.0.0.1', port: SIM_PORT }], 'user');
      return torrent;
    });
    return { engine, torrents };
  }

  /** Bytes a second that each torrent receives in the next five seconds. */
  rates(torrents: readonly Torrent[]): number[] {
    const before = torrents.map((torrent) => torrent.received.total);
    this.clock.run(5_000);
    return torrents.map((torrent, nth) => (torrent.received.total - (before[nth] ?? 0)) / 5);
  }
}

function assertNear(rate: number | undefined, wanted: number, tolerance = 0.03): void {
  const error = Math.abs((rate ?? 0) - wanted) / wanted;
  assert.ok(error <= tolerance, `${rate} B/s instead of ${wanted}`);
}

for (const direction of ['upload', 'download'] as const) {
  /** The side whose limit counts, and the downloading torrents. */
  const play = (stage: Stage): { side: Node; torrents: readonly Torrent[] } => {
    const seed = stage.node(true);
    const taker = stage.node(false);
    return { side: direction === 'upload' ? seed : taker, torrents: taker.torrents };
  };

  test(`a torrent's ${direction} limit is kept within 3 % and holds no other back`, () => {
    for (const rate of [300_000, 1_000_000]) {
      const stage = new Stage(2);
      const { side, torrents } = play(stage);
      side.torrents[0]?.limit({ [direction]: bytesPerSecond(rate) });
      stage.clock.run(500);
      const [limited, free] = stage.rates(torrents);
      assertNear(limited, rate);
      assertNear(free, PATH_RATE, 0.1);
    }
  });

  test(`a torrent's ${direction} limit is lifted at once`, () => {
    const stage = new Stage(1);
    const { side, torrents } = play(stage);
    side.torrents[0]?.limit({ [direction]: bytesPerSecond(50_000) });
    stage.clock.run(3_000);
    assert.ok((torrents[0]?.received.total ?? 0) < 300_000);
    side.torrents[0]?.limit({ [direction]: UNLIMITED });
    stage.clock.run(100);
    assertNear(stage.rates(torrents)[0], PATH_RATE, 0.1);
  });

  test(`a common ${direction} limit of 0 stops it until it is lifted, and nobody hangs up`, () => {
    const stage = new Stage(1);
    const { side, torrents } = play(stage);
    stage.clock.run(500);
    side.engine.limit({ [direction]: bytesPerSecond(0) });
    // What was asked for before may still come.
    stage.clock.run(2_000);
    assert.deepEqual(stage.rates(torrents), [0]);
    stage.clock.run(600_000);
    assert.equal(torrents[0]?.peers.size, 1);
    side.engine.limit({ [direction]: UNLIMITED });
    stage.clock.run(500);
    assertNear(stage.rates(torrents)[0], PATH_RATE, 0.1);
  });

  test(`a common ${direction} limit holds beside a torrent's own`, () => {
    const stage = new Stage(2);
    const { side, torrents } = play(stage);
    side.engine.limit({ [direction]: bytesPerSecond(1_000_000) });
    side.torrents[0]?.limit({ [direction]: bytesPerSecond(200_000) });
    stage.clock.run(1_000);
    const [limited = 0, free = 0] = stage.rates(torrents);
    assertNear(limited + free, 1_000_000);
    assertNear(limited, 200_000, 0.1);
  });
}

test('a used-up limit of a torrent closes its own tap alone, and the common one all', () => {
  const torrents = [0, 1].map(() => new FakeTapped(1));
  const [one, two] = torrents as [FakeTapped, FakeTapped];
  const tap = new DownloadTap(() => torrents);
  one.limits.download.limit(bytesPerSecond(1_000));
  tap.watch(one);
  tap.fill(100);
  tap.take(one, 500);
  assert.deepEqual([one.paused, two.paused], [[true], [false]]);
  tap.limit(bytesPerSecond(10_000));
  tap.take(two, 1);
  assert.deepEqual([one.paused, two.paused], [[true], [true]]);
  tap.fill(100);
  assert.deepEqual([one.paused, two.paused], [[true], [false]]);
  tap.fill(400);
  assert.deepEqual([one.paused, two.paused], [[false], [false]]);
  tap.take(two, 1e9);
  tap.limit(UNLIMITED);
  assert.deepEqual([one.paused, two.paused], [[false], [false]]);
  assert.ok(tap.isOpenFor(one));
});

// Whoever was resumed first read first, each time, and the last peers got nothing.
test('each time the tap opens another peer reads first', () => {
  const torrent = new FakeTapped(3);
  const tap = new DownloadTap(() => [torrent]);
  tap.limit(bytesPerSecond(1_000));
  const firsts: number[] = [];
  for (let round = 0; round < 3; round++) {
    tap.take(torrent, 150);
    torrent.resumed.length = 0;
    tap.fill(200);
    firsts.push(torrent.resumed[0] ?? -1);
  }
  assert.deepEqual(firsts.toSorted(), [0, 1, 2]);
});

// The pool of shards changes limits every second: each change forgave what was owed.
test('a changed limit does not forgive a debt, nor keep the new one waiting for long', () => {
  const bucket = new TokenBucket(bytesPerSecond(100_000));
  bucket.take(50_000);
  bucket.limit(bytesPerSecond(200_000));
  assert.equal(bucket.tokens, -50_000);
  bucket.take(1_000_000);
  bucket.limit(bytesPerSecond(100_000));
  assert.equal(bucket.tokens, -100_000);
});

/** A torrent of whose peers only the pausing is looked at. */
class FakeTapped implements Tapped {
  readonly limits: TorrentLimits = new TorrentLimits();
  readonly paused: boolean[];
  readonly resumed: number[] = [];
  readonly peers: Tapped['peers'];

  constructor(peerCount: number) {
    this.paused = Array.from({ length: peerCount }, () => false);
    this.peers = new Map(
      this.paused.map((_, nth) => {
        const pauseReading = (isPaused: boolean): void => {
          if (!isPaused && this.paused[nth]) this.resumed.push(nth);
          this.paused[nth] = isPaused;
        };
        return [nth, { pauseReading }];
      }),
    );
  }
}
