/** A thousand nodes on a network that loses datagrams, while nodes come and go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhtNetwork } from '../../sim/index.ts';
import { randomNodeId } from '../../wire/index.ts';
import type { PeerSearchResult } from './index.ts';

const NODES = 1000;
const TORRENTS = 200;
const ANNOUNCE = { port: 7000, isPortImplied: false, isSeed: false };

interface Published {
  readonly infoHash: Uint8Array;
  readonly host: string;
  /** null until the announce has ended. */
  announced: PeerSearchResult | null;
  looked: PeerSearchResult | null;
  isFound: boolean;
}

/** Somebody announces each torrent. */
function publish(net: DhtNetwork): readonly Published[] {
  const all: Published[] = [];
  for (let nth = 0; nth < TORRENTS; nth++) {
    const node = net.pick();
    const infoHash = randomNodeId(net.random);
    const { host } = node.endpoint;
    const one: Published = { infoHash, host, announced: null, looked: null, isFound: false };
    all.push(one);
    node.dht.findPeers({
      ...{ infoHash, announce: ANNOUNCE, isScrape: false, onPeers: () => {} },
      onDone: (result) => {
        one.announced = result;
      },
    });
    net.clock.run(50);
  }
  net.clock.run(60_000, () => all.every(({ announced }) => announced));
  return all;
}

/** Somebody else looks for each. */
function look(net: DhtNetwork, all: readonly Published[]): void {
  for (const one of all) {
    net.pick().dht.findPeers({
      ...{ infoHash: one.infoHash, announce: null, isScrape: false },
      onPeers: (peers) => {
        if (peers.some(({ host, port }) => host === one.host && port === 7000)) one.isFound = true;
      },
      onDone: (result) => {
        one.looked = result;
      },
    });
    net.clock.run(50);
  }
  net.clock.run(60_000, () => all.every(({ looked }) => looked));
}

test('of a thousand nodes with loss and churn, 99 of 100 searches find the peer', () => {
  const net = new DhtNetwork({ seed: 1, lossRatio: 0.03 });
  // Every fifth has an id that does not go with its address, until others tell it its address.
  net.grow(NODES, (index) => ({ isInsecure: index % 5 === 4 }));
  net.clock.run(60_000);
  const all = publish(net);
  for (const { announced } of all) assert.ok((announced?.storedCount ?? 0) >= 3);
  // Fifteen in a hundred leave without a word.
  for (let nth = 0; nth < NODES * 0.15; nth++) net.pick().isUp = false;
  look(net, all);
  const foundCount = all.filter(({ isFound }) => isFound).length;
  assert.ok(foundCount >= TORRENTS * 0.99, `${foundCount} of ${TORRENTS}`);
  for (const { looked } of all) {
    // log2(1000 / 8) is 7: each step halves what lies between, or does better.
    assert.ok(looked && looked.hops <= 7, `${looked?.hops} hops`);
    assert.ok(looked.askedCount <= 60, `${looked.askedCount} asked`);
  }
});

test('a network replays from its seed', () => {
  const run = (seed: number): string => {
    const net = new DhtNetwork({ seed, lossRatio: 0.1 });
    net.grow(30);
    net.clock.run(5_000);
    return net.nodes.map(({ dht }) => dht.status()[0]?.nodeCount).join(' ');
  };
  assert.equal(run(5), run(5));
  assert.notEqual(run(5), run(6));
});
