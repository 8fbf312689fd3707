import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttoPerMib, attoPerMib, BLOCK_BYTES, KIB, MIB } from '../units/index.ts';
import { VOUCHER_PATIENCE_MS } from './limits.ts';
import { Pair } from './testing/pair.ts';

/** Checks, after every step, what neither side may ever lose. */
function watchLosses(pair: Pair): void {
  pair.onStep = () => {
    if (pair.wire.isBroken) return;
    const { selling, buying } = pair;
    if (selling.standing === 'paying') {
      assert.ok(selling.unpaidBytes <= selling.windowBytes, `${selling.unpaidBytes} unpaid`);
    }
    const paidUnverified = buying.unverifiedBytes - buying.unpaidBytes;
    // The window may shrink after a payment, so the bound is that of the largest window.
    assert.ok(paidUnverified <= Math.max(pair.options.pieceBytes, 16 * MIB));
    assert.ok(pair.book.earned <= pair.purse.signed, 'nobody earns what was not signed');
    const { budget, spent, committed } = pair.buyer.snapshot().buyer ?? fail();
    assert.ok(spent + committed <= budget, `${spent} + ${committed} of ${budget}`);
  };
}

function fail(): never {
  throw new Error('no buyer');
}

test('a whole download is paid to the last atto, and both ends count the same', () => {
  const pair = new Pair();
  watchLosses(pair);
  assert.ok(pair.runUntil(() => pair.isComplete));
  pair.run(2000);
  const { buying, selling } = pair;
  assert.equal(selling.soldBytes, buying.boughtBytes);
  assert.equal(selling.owed, buying.owed);
  assert.equal(buying.paid, buying.owed);
  assert.equal(selling.earned, buying.owed);
  assert.equal(pair.book.earned, pair.purse.signed);
  // 1,000 atto a MiB; what came before the price was agreed is free.
  assert.equal(buying.owed, BigInt(Math.ceil((buying.boughtBytes / MIB) * 1000)));
  assert.ok(pair.options.totalBytes - buying.boughtBytes < 2 * MIB);
});

test('a fast download needs about ten vouchers a second', () => {
  const pair = new Pair({ bytesPerMs: 100_000, totalBytes: 512 * MIB, depth: 512, delayMs: 5 });
  assert.ok(pair.runUntil(() => pair.isComplete));
  assert.ok(pair.count('paid') <= 20 * (pair.elapsedMs / 1000), `${pair.count('paid')} vouchers`);
});

test('payment does not slow the transfer down by more than a tenth', () => {
  const paid = new Pair({ delayMs: 40 });
  const free = new Pair({ delayMs: 40, maxPrice: 1n });
  for (const pair of [paid, free]) assert.ok(pair.runUntil(() => pair.isComplete));
  assert.equal(free.buying.boughtBytes, 0);
  assert.ok(
    paid.elapsedMs <= free.elapsedMs * 1.1,
    `${paid.elapsedMs} ms paid, ${free.elapsedMs} ms free`,
  );
});

test('the window starts at one tick and grows with what is paid', () => {
  const pair = new Pair({ graceBytes: 0 });
  const windows: number[] = [];
  pair.onStep = () => {
    if (pair.selling.standing === 'paying') windows.push(pair.selling.windowBytes);
  };
  pair.run(3000);
  assert.equal(windows[0], 64 * KIB);
  assert.ok((windows.at(-1) ?? 0) >= MIB);
});

test('a seller that serves nobody free lets the grace flow while the lane is not there', () => {
  const pair = new Pair({ graceBytes: 512 * KIB, servesFree: false });
  pair.purse.laneDelayMs = 5000;
  pair.run(4000);
  assert.equal(pair.selling.soldBytes, 512 * KIB);
  assert.equal(pair.selling.standing, 'waiting');
  pair.run(3000);
  assert.ok(pair.selling.soldBytes > MIB);
  assert.ok(pair.selling.earned > 500n, 'the grace is billed too');
});

test('a lane that takes too long does not stop the download', () => {
  const pair = new Pair({ graceBytes: 512 * KIB });
  pair.purse.laneDelayMs = 10 ** 6;
  assert.ok(pair.runUntil(() => pair.isComplete));
  assert.equal(pair.purse.signed, 0n);
  assert.equal(pair.selling.soldBytes, 0);
});

test('who is served free buys from the moment its lane is there, and never stands still', () => {
  const pair = new Pair();
  pair.purse.laneDelayMs = 2000;
  pair.run(500);
  let before = pair.delivered;
  while (!pair.isComplete) {
    pair.run(200);
    assert.ok(pair.delivered > before, `nothing came in the last 200 ms at ${pair.now} ms`);
    before = pair.delivered;
  }
  assert.equal(pair.count('choked-back'), 0);
  assert.ok(pair.selling.soldBytes > MIB);
});

test('who stops paying is choked back, goes on as a free peer, and may come back by paying', () => {
  const pair = new Pair({ totalBytes: 1024 * MIB });
  watchLosses(pair);
  pair.run(2000);
  pair.purse.signDelayMs = VOUCHER_PATIENCE_MS + 3000;
  const before = pair.delivered;
  pair.run(VOUCHER_PATIENCE_MS + 1000);
  assert.equal(pair.count('choked-back'), 1);
  const stalled = pair.delivered;
  assert.ok(stalled - before <= pair.options.depth * BLOCK_BYTES + 16 * MIB);
  pair.run(1500);
  assert.ok(pair.delivered > stalled, 'the free pool serves it');
  pair.purse.signDelayMs = 2;
  pair.run(20_000);
  assert.equal(pair.count('recovered'), 1);
  assert.equal(pair.selling.standing, 'paying');
  assert.equal(pair.buying.state, 'buying');
});

test('a spent budget ends the buying, not the download', () => {
  const pair = new Pair({ budget: 10_000n });
  watchLosses(pair);
  assert.ok(pair.runUntil(() => pair.isComplete));
  pair.run(2000);
  assert.ok(pair.purse.signed <= 10_000n);
  assert.ok(pair.purse.signed >= 8_000n, `${pair.purse.signed} spent`);
  assert.equal(pair.selling.unpaidBytes, 0, 'and no debt is left');
});

test('a budget too small for one tick buys nothing', () => {
  const pair = new Pair({ budget: 10n });
  assert.ok(pair.runUntil(() => pair.isComplete));
  assert.equal(pair.purse.signed, 0n);
});

test('nobody buys above its price', () => {
  const pair = new Pair({ ask: 5001n });
  pair.run(2000);
  assert.equal(pair.buying.state, 'idle');
  assert.equal(pair.buying.boughtBytes, 0);
  assert.ok(pair.delivered > 0);
});

test('when the price rises above its limit the buyer withdraws, and pays what it owes', () => {
  const pair = new Pair({ totalBytes: 1024 * MIB });
  pair.run(2000);
  pair.seller.configure({ seller: { ask: { kind: 'fixed', price: attoPerMib(6000n) } } });
  pair.run(15_000);
  assert.equal(pair.buying.state, 'idle');
  const { owed, paid } = pair.buying;
  assert.equal(paid, owed);
  assert.ok(owed <= (BigInt(pair.buying.boughtBytes) * 1000n) / BigInt(MIB) + 1n);
});

test('a higher price within the limit is accepted, and each byte costs what was agreed', () => {
  const pair = new Pair({ totalBytes: 400 * MIB });
  watchLosses(pair);
  pair.run(2000);
  pair.seller.configure({ seller: { ask: { kind: 'fixed', price: attoPerMib(3000n) } } });
  assert.ok(pair.runUntil(() => pair.isComplete));
  pair.run(2000);
  const { buying, selling } = pair;
  assert.equal(buying.quoted, null, 'done');
  assert.equal(buying.owed, selling.owed);
  assert.equal(selling.earned, selling.owed);
  assert.ok(selling.owed > BigInt(Math.floor((selling.soldBytes / MIB) * 1500)));
});

test('small lanes follow one another without a pause', () => {
  const pair = new Pair({ totalBytes: 128 * MIB });
  pair.remainingBytes = () => 8 * MIB;
  assert.ok(pair.runUntil(() => pair.isComplete));
  pair.run(2000);
  assert.ok(pair.purse.laneCount >= 2);
  assert.equal(pair.selling.earned, pair.selling.owed);
  assert.equal(pair.count('choked-back'), 0);
});

test('after a bad piece not an atto more is paid, after a second the connection closes', () => {
  const pair = new Pair();
  pair.run(2000);
  pair.nextPieceIsBad = true;
  pair.runUntil(() => !pair.nextPieceIsBad);
  const { signed } = pair.purse;
  pair.run(5000);
  assert.ok(pair.purse.signed - signed <= 1000n, 'at most the voucher that was being signed');
  assert.equal(pair.buying.state, 'stopped');
  pair.nextPieceIsBad = true;
  pair.runUntil(() => pair.wire.isBroken, 10_000);
  assert.match(pair.wire.buyerEnd.closedFor ?? '', /failed their hash/);
});

test('large pieces and slow lines: the buyer’s caution never meets the seller’s', () => {
  for (const pieceBytes of [16 * KIB, 4 * MIB, 16 * MIB]) {
    const pair = new Pair({ pieceBytes, bytesPerMs: 3000, totalBytes: 48 * MIB, seed: pieceBytes });
    watchLosses(pair);
    assert.ok(
      pair.runUntil(() => pair.isComplete, 60_000),
      `pieces of ${pieceBytes}`,
    );
    pair.run(2000);
    assert.equal(pair.selling.earned, pair.selling.owed);
    assert.equal(pair.count('choked-back'), 0);
  }
});

test('connections that break at any moment lose at most a window, and lanes go on', () => {
  for (let seed = 1; seed <= 25; seed++) {
    const pair = new Pair({ seed, totalBytes: 64 * MIB });
    watchLosses(pair);
    let breaks = 0;
    while (!pair.isComplete) {
      pair.run(Math.floor(pair.random() * 1500) + 5);
      if (pair.isComplete) break;
      pair.connect();
      breaks++;
      assert.ok(breaks < 1000, `seed ${seed} makes no progress`);
    }
    pair.run(3000);
    // A voucher that was on its way is signed but not stored until the lane is used again.
    assert.ok(pair.book.earned <= pair.purse.signed, `seed ${seed}`);
    const sold = pair.seller.snapshot().seller?.soldBytes ?? 0;
    const lost = BigInt(Math.floor((sold / MIB) * 1000)) - pair.book.earned;
    assert.ok(
      lost <= BigInt(breaks) * 5000n,
      `seed ${seed}: ${lost} atto lost in ${breaks} breaks`,
    );
  }
});

test('an automatic ask comes down to a buyer that is priced out', () => {
  const pair = new Pair({ maxPrice: 900n, totalBytes: 4096 * MIB });
  const [start, lowest, highest] = [1000n, 500n, 2000n].map((price) => attoPerMib(price)) as [
    AttoPerMib,
    AttoPerMib,
    AttoPerMib,
  ];
  pair.seller.configure({ seller: { ask: { kind: 'automatic', start, lowest, highest } } });
  pair.run(90_000);
  assert.ok((pair.seller.snapshot().seller?.reserve ?? 0n) <= 900n);
  assert.equal(pair.buying.state, 'buying');
});

test('a buyer without grace left stays a free peer until its lane is there', () => {
  const pair = new Pair({ totalBytes: 4096 * MIB });
  pair.purse.laneDelayMs = 10 ** 6;
  pair.run(1000);
  pair.connect();
  const before = pair.delivered;
  pair.run(1000);
  assert.equal(pair.buying.state, 'bidding');
  assert.ok(pair.delivered > before + 4 * MIB);
});
