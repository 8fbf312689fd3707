import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaneOffer } from '../payment/index.ts';
import { account, laneOffer, SIGNER, signatureOf } from '../sim/money/index.ts';
import { type Atto, atto, attoPerMib, attoPerSecond, bytes, KIB, MIB } from '../units/index.ts';
import { type BwPayMessage, decodeBwPay, encodeBwPay, type HelloMessage } from '../wire/index.ts';
import { REFUSALS_MAX } from './limits.ts';
import { Pair } from './testing/pair.ts';

/** A connection whose buyer is the test itself: it says what it likes, whenever it likes. */
class Hostile {
  readonly pair: Pair;
  readonly heard: BwPayMessage[] = [];

  constructor(options: ConstructorParameters<typeof Pair>[0] = {}) {
    this.pair = new Pair({ delayMs: 0, ...options, maxPrice: 1n });
    this.pair.wire.sellerEnd.onSend = (payload) => {
      const message = decodeBwPay(payload);
      if (message) this.heard.push(message);
    };
    this.pair.wire.toSeller.length = 0;
    // No blocks but those the test asks for.
    this.pair.wire.buyerEnd.isDownloading = false;
  }

  say(...messages: readonly BwPayMessage[]): this {
    for (const message of messages) {
      if (this.pair.wire.sellerEnd.closedFor !== null) break;
      this.pair.wire.seller.onMessage(encodeBwPay(message), this.pair.now);
    }
    return this;
  }

  /** Goes as far as an accepted quote. */
  bargain(): this {
    return this.say(hello(), bid(1), { type: 'accept', sequence: 1 });
  }

  /** And an admitted lane. */
  openLane(cap = 10_000n): this {
    this.bargain().say(laneMessage(laneOffer(1, account(2), atto(cap))));
    this.pair.run(50);
    return this;
  }

  get refusals(): readonly string[] {
    return this.heard.flatMap((message) => (message.type === 'error' ? [message.code] : []));
  }

  get seller() {
    return this.pair.wire.seller;
  }
}

function hello(rest: Partial<HelloMessage> = {}): HelloMessage {
  return {
    type: 'hello',
    version: 1,
    chainId: 199,
    escrow: account(0xe5c),
    payee: account(1),
    reserve: attoPerMib(0n),
    grace: bytes(0),
    signature: signatureOf(account(1)),
    ...rest,
  };
}

function bid(sequence: number): BwPayMessage {
  const budget = attoPerSecond(10n ** 6n);
  return { type: 'bid', budget, maxPrice: attoPerMib(9000n), rate: bytes(0), sequence };
}

function laneMessage(offer: LaneOffer): BwPayMessage {
  return { type: 'lane', ...offer };
}

function voucher(amount: bigint, signer = SIGNER): BwPayMessage {
  const { allotment } = laneOffer(1, account(2), atto(1n));
  return {
    type: 'voucher',
    allotment,
    lane: 0,
    amount: amount as Atto,
    signature: signatureOf(signer),
  };
}

test('nothing is heard before hello', () => {
  assert.deepEqual(new Hostile().say(bid(1)).refusals, ['hello-first']);
});

test('a hello of another chain, contract or key is refused', () => {
  for (const [wrong, code] of [
    [{ chainId: 1 }, 'other-chain'],
    [{ escrow: account(7) }, 'other-chain'],
    [{ payee: account(9) }, 'hello-signature'],
  ] as const) {
    const peer = new Hostile().say(hello(wrong), bid(1));
    assert.deepEqual(peer.refusals, [code, 'hello-first']);
  }
});

test('a second hello cannot change the identity', () => {
  const peer = new Hostile().say(hello(), hello({ payee: account(9) }));
  assert.deepEqual(peer.refusals, ['hello-again']);
});

test('a quote that was never made cannot be accepted', () => {
  const peer = new Hostile().say(hello(), { type: 'accept', sequence: 1 }, bid(1), {
    type: 'accept',
    sequence: 7,
  });
  assert.deepEqual(peer.refusals, ['quote-unknown', 'quote-unknown']);
});

test('bids do not go back in time', () => {
  assert.deepEqual(new Hostile().say(hello(), bid(2), bid(1)).refusals, ['bid-sequence']);
});

test('a forged lane gives no credit beyond the grace', () => {
  const peer = new Hostile({ graceBytes: 128 * KIB }).bargain();
  const forged = laneOffer(1, account(2), atto(10n ** 9n));
  const header = { ...forged.header, signer: account(666) };
  peer.say(laneMessage({ ...forged, header }));
  peer.pair.run(50);
  assert.deepEqual(peer.refusals, ['lane-chain']);
  assert.equal(peer.seller.creditBytes(1), 128 * KIB);
});

test('vouchers replayed, lowered, over the cap, of unknown lanes or signers are refused', () => {
  const peer = new Hostile().openLane(10_000n).say(voucher(500n));
  peer.pair.run(50);
  peer.say(voucher(500n), voucher(499n), voucher(10_001n), {
    ...voucher(600n),
    lane: 5,
  } as BwPayMessage);
  peer.say(voucher(700n, account(666)));
  peer.pair.run(50);
  assert.deepEqual(peer.refusals, [
    'voucher-not-more',
    'voucher-not-more',
    'voucher-above-cap',
    'voucher-unknown-lane',
    'voucher-signature',
  ]);
  assert.equal(peer.pair.book.earned, 500n);
});

test('cheap checks come first: the book hears of no voucher that cannot be right', () => {
  const peer = new Hostile().openLane(10_000n);
  peer.say(voucher(10_001n), voucher(0n), { ...voucher(1n), lane: 9 } as BwPayMessage);
  assert.equal(peer.pair.book.checks, 0);
});

test('a flood of good vouchers costs fifty checks a second, and the newest counts', () => {
  const peer = new Hostile().openLane(1_000_000n);
  peer.pair.book.storeDelayMs = 0;
  let amount = 0n;
  for (let step = 0; step < 400; step++) {
    peer.say(voucher(++amount));
    peer.pair.run(5);
  }
  assert.ok(peer.pair.book.checks <= 100 + 50 * 2 + 1, `${peer.pair.book.checks} checks`);
  peer.pair.run(1000);
  assert.equal(peer.pair.book.earned, amount);
});

test('a flood of messages is refused and then cut off', () => {
  const peer = new Hostile().bargain();
  for (let at = 0; at < 5000; at++) peer.say({ type: 'accept', sequence: 0 });
  assert.equal(peer.refusals[0], 'flood');
  assert.match(peer.pair.wire.sellerEnd.closedFor ?? '', /refused too often, last flood/);
});

test('who is refused again and again is cut off', () => {
  const peer = new Hostile().openLane();
  for (let at = 0; at < 100; at++) peer.say(voucher(10n ** 9n));
  assert.equal(peer.refusals.length, REFUSALS_MAX);
  assert.notEqual(peer.pair.wire.sellerEnd.closedFor, null);
});

test('lanes that are not used up are at most four', () => {
  const peer = new Hostile().bargain();
  for (let nth = 1; nth <= 9; nth++) {
    peer.say(laneMessage(laneOffer(nth, account(2), atto(1000n))));
    peer.pair.run(20);
  }
  assert.deepEqual(peer.refusals, new Array(5).fill('lane-too-many'));
  assert.equal(peer.pair.book.admissions, 4);
});

test('grace is given once per identity and network, and never above two in a hundred', () => {
  const peer = new Hostile({ graceBytes: MIB }).bargain();
  assert.equal(peer.seller.creditBytes(1), MIB);
  for (let at = 0; at < 64; at++) peer.seller.onBlockSent(1, 16 * KIB);
  assert.equal(peer.seller.creditBytes(1), 0);
  peer.pair.connect();
  peer.pair.wire.seller.onSupported(peer.pair.now);
  peer.say(hello(), bid(1), { type: 'accept', sequence: 1 });
  assert.equal(peer.seller.creditBytes(1), 0, 'the same again');
});

test('credit never exceeds what the lane can pay', () => {
  const peer = new Hostile({ graceBytes: 0 }).openLane(10n);
  // 10 atto at 1,000 a MiB buy 10,485 bytes.
  assert.equal(peer.seller.creditBytes(1), 10_485);
});

test('a payer that leaves debts behind gets no more credit for a while', () => {
  const pair = new Pair({ totalBytes: 4096 * MIB, graceBytes: 0 });
  let refused = 0;
  for (let at = 0; at < 200 && refused === 0; at++) {
    pair.run(1500);
    // It takes all the window, and leaves without paying for it.
    pair.purse.signDelayMs = 10 ** 6;
    pair.run(1000);
    pair.connect();
    pair.purse.signDelayMs = 2;
    refused = pair.events.filter(
      (one) => one.type === 'refused' && one.code === 'lane-debt',
    ).length;
  }
  assert.ok(refused > 0);
});

test('a node that does not sell says so, once per mistake, and pays no attention', () => {
  const { wire, now } = new Pair({ delayMs: 0 });
  const said: BwPayMessage[] = [];
  wire.buyerEnd.onSend = (payload) => {
    const message = decodeBwPay(payload);
    if (message) said.push(message);
  };
  wire.buyer.onMessage(
    encodeBwPay(hello({ payee: account(2), signature: signatureOf(account(2)) })),
    now,
  );
  wire.buyer.onMessage(encodeBwPay(bid(1)), now);
  const last = said.at(-1);
  assert.equal(last?.type === 'error' && last.code, 'not-selling');
});

test('a seller that raises its price under a hostile window cannot be overpaid', () => {
  const pair = new Pair({ graceBytes: 256 * KIB });
  pair.run(200);
  const { buyer } = pair.wire;
  const window = bytes(2 ** 40);
  const quote = { type: 'quote', price: attoPerMib(5000n), share: bytes(0) } as const;
  buyer.onMessage(encodeBwPay({ ...quote, tick: bytes(1), window, sequence: 1000 }), pair.now);
  assert.ok(pair.buying.boundBytes <= Math.max(256 * KIB, pair.buying.boughtBytes + 2 * MIB));
});
