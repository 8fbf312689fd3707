import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Instant, instant, seededRandom } from '../units/index.ts';
import {
  type AnnounceRequest,
  decodeUdpRequest,
  encodeUdpReply,
  type UdpReply,
  type UdpRequest,
} from '../wire/index.ts';
import { type UdpConnection, type UdpEffect, UdpExchange } from './udp-exchange.ts';

const ANNOUNCE: AnnounceRequest = {
  infoHash: new Uint8Array(20).fill(1),
  peerId: new Uint8Array(20).fill(2),
  port: 6881,
  uploadedBytes: 0,
  downloadedBytes: 0,
  leftBytes: 100,
  event: 'started',
  key: 7,
  numWant: 50,
};

/** An exchange on a clock of its own, in seconds; keeps what was sent when. */
class Bench {
  readonly exchange: UdpExchange;
  readonly sent: [seconds: number, action: string][] = [];
  readonly others: UdpEffect[] = [];
  last: UdpRequest = { action: 'connect', transactionId: 0 };
  #wakeAt: Instant = instant(0);

  constructor(retransmissionsMax: number, connection: UdpConnection | null = null) {
    const question = { kind: 'announce', announce: ANNOUNCE, urlData: '' } as const;
    const random = seededRandom(1);
    this.exchange = new UdpExchange({ question, connection, retransmissionsMax, random });
  }

  start(seconds: number): void {
    this.#take(this.exchange.start(at(seconds)), at(seconds));
  }

  /** Runs the timers up to a time. */
  runUntil(seconds: number): void {
    while (this.#wakeAt <= at(seconds)) {
      const now = this.#wakeAt;
      this.#wakeAt = instant(Infinity);
      this.#take(this.exchange.onTimer(now), now);
    }
  }

  /** The tracker answers the last request. */
  reply(seconds: number, reply: UdpReply): void {
    this.#take(this.exchange.onDatagram(encodeUdpReply(reply, 4), 4, at(seconds)), at(seconds));
  }

  connect(seconds: number): void {
    this.reply(seconds, { action: 'connect', transactionId: this.id, connectionId: 99n });
  }

  get id(): number {
    return this.last.transactionId;
  }

  #take(effects: readonly UdpEffect[], now: Instant): void {
    for (const effect of effects) {
      if (effect.kind === 'wake') this.#wakeAt = effect.at;
      else if (effect.kind === 'send') {
        this.last = decodeUdpRequest(effect.datagram);
        this.sent.push([now / 1000, this.last.action]);
      } else this.others.push(effect);
    }
  }
}

function at(seconds: number): Instant {
  return instant(seconds * 1000);
}

test('a normal announce connects, then announces with the id it got (BEP 15)', () => {
  const bench = new Bench(8);
  bench.start(0);
  bench.connect(1);
  assert.deepEqual(bench.sent, [
    [0, 'connect'],
    [1, 'announce'],
  ]);
  assert.equal(bench.last.action === 'announce' && bench.last.connectionId, 99n);
});

test('connecting times out as in the example of BEP 15: 0, 15, 45, 105', () => {
  const bench = new Bench(8);
  bench.start(0);
  bench.runUntil(200);
  assert.deepEqual(
    bench.sent.map(([seconds]) => seconds),
    [0, 15, 45, 105],
  );
});

test('announcing times out as in BEP 15: 2, 17, 47, then a new connect at 107 and 227', () => {
  const bench = new Bench(8);
  bench.start(0);
  bench.connect(1);
  // The example asks a second after connecting; we ask at once, so its times move by one.
  bench.runUntil(300);
  assert.deepEqual(bench.sent.slice(1), [
    [1, 'announce'],
    [16, 'announce'],
    [46, 'announce'],
    [106, 'connect'],
    [226, 'connect'],
  ]);
});

test('a wait is said when it grows late, and the end of waiting too', () => {
  const bench = new Bench(1);
  bench.start(0);
  bench.runUntil(1000);
  assert.deepEqual(bench.others, [
    { kind: 'late', waitedMs: 15_000 },
    { kind: 'unanswered', waitedMs: 45_000 },
  ]);
});

test('a connection id is used again for one minute, no longer', () => {
  const connection = { id: 5n, since: at(0) };
  const soon = new Bench(1, connection);
  soon.start(59);
  assert.equal(soon.last.action, 'announce');
  const late = new Bench(1, connection);
  late.start(60);
  assert.equal(late.last.action, 'connect');
});

test('a tracker that forgot a kept connection id is asked for a new one, once', () => {
  const bench = new Bench(1, { id: 5n, since: at(0) });
  bench.start(1);
  bench.reply(2, { action: 'error', transactionId: bench.id, message: 'bad connection id' });
  assert.equal(bench.last.action, 'connect');
  bench.connect(3);
  bench.reply(4, { action: 'error', transactionId: bench.id, message: 'banned' });
  const answered = bench.others.at(-1);
  assert.equal(answered?.kind, 'answered');
});

test('a slow answer to the first transmission still counts after a second', () => {
  const bench = new Bench(3);
  bench.start(0);
  const first = bench.id;
  bench.runUntil(15);
  bench.reply(16, { action: 'connect', transactionId: first, connectionId: 1n });
  assert.equal(bench.last.action, 'announce');
});

test('a forged or unfitting reply is ignored', () => {
  const bench = new Bench(1);
  bench.start(0);
  const peers = [{ host: '10.0.0.1', port: 1 }];
  const forged = { intervalSeconds: 1, leechers: 1, seeders: 1, peers } as const;
  bench.reply(1, { action: 'connect', transactionId: bench.id ^ 1, connectionId: 1n });
  bench.reply(1, { action: 'announce', transactionId: bench.id, ...forged });
  assert.deepEqual(bench.sent, [[0, 'connect']]);
  assert.deepEqual(bench.others, []);
});

test('after the answer nothing more happens', () => {
  const bench = new Bench(8);
  bench.start(0);
  bench.connect(1);
  const reply = { intervalSeconds: 1800, leechers: 0, seeders: 0, peers: [] };
  bench.reply(2, { action: 'announce', transactionId: bench.id, ...reply });
  bench.reply(3, { action: 'announce', transactionId: bench.id, ...reply });
  bench.runUntil(1000);
  assert.equal(bench.others.filter(({ kind }) => kind === 'answered').length, 1);
  assert.equal(bench.sent.length, 2);
});

test('no datagram from a stranger makes an exchange fail or send more than one', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (datagrams) => {
      const bench = new Bench(1);
      bench.start(0);
      for (const datagram of datagrams) {
        const effects = bench.exchange.onDatagram(datagram, 4, at(1));
        assert.ok(effects.filter(({ kind }) => kind === 'send').length <= 1);
      }
    }),
    { numRuns: 1000 },
  );
});
