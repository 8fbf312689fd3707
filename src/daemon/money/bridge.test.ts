import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { BuyerPurse, SellerBook } from '../../exchange/index.ts';
import type { LaneOffer } from '../../payment/index.ts';
import { atto, parseAddress, parseHash32, unixSeconds, ZERO_ATTO } from '../../units/index.ts';
import { purseAndBookOver, servePurseAndBook } from './bridge.ts';
import { accept, admit, CONTEXT, requestLane, sign } from './testing/two-parties.ts';

const PAYEE = parseAddress(`0x${'a'.repeat(40)}`);
const ALLOTMENT = parseHash32(`0x${'b'.repeat(64)}`);
const OFFER: LaneOffer = {
  allotment: ALLOTMENT,
  header: {
    payer: PAYEE,
    root: ALLOTMENT,
    sum: atto(2n ** 100n),
    expiry: unixSeconds(2_000_000_000),
    signer: PAYEE,
    depth: 0,
    laneCount: 1,
  },
  lane: { index: 0, payee: PAYEE, cap: atto(2n ** 100n) },
  path: [],
};
const VOUCHER = { allotment: ALLOTMENT, lane: 0, amount: atto(2n ** 99n) };

const channels: MessageChannel[] = [];
after(() => {
  for (const { port1, port2 } of channels) {
    port1.close();
    port2.close();
  }
});

/** Purse and book that answer at once, and remember what they were asked. */
function bridged() {
  const heard: unknown[] = [];
  const purse: BuyerPurse = {
    requestLane: (payee, cap, done) => {
      heard.push(['lane', payee, cap]);
      done({ ok: true, offer: OFFER, signed: atto(7n) });
    },
    signVoucher: (voucher, context, done) => {
      heard.push(['sign', voucher, context]);
      done({ ok: true, signed: { voucher, signature: new Uint8Array(65).fill(1) } });
    },
    releaseLane: (allotment, lane) => heard.push(['release', allotment, lane]),
  };
  const book: SellerBook = {
    admitLane: (_offer, done) => done({ ok: true, earned: ZERO_ATTO }),
    acceptVoucher: (signed, context, done) => {
      heard.push(['accept', signed, context]);
      done({ ok: true, earned: signed.voucher.amount });
    },
  };
  const channel = new MessageChannel();
  channels.push(channel);
  servePurseAndBook(channel.port1, { purse, book });
  return { heard, channel, far: purseAndBookOver(channel.port2) };
}

test('a lane, a voucher and their answers cross the border unchanged', async () => {
  const { heard, far } = bridged();
  const grant = await requestLane(far, PAYEE, 2n ** 100n);
  assert.deepEqual(grant, { ok: true, offer: OFFER, signed: 7n });
  const out = await sign(far, VOUCHER);
  assert.ok(out.ok && out.signed.signature.length === 65);
  assert.deepEqual(await admit(far, OFFER), { ok: true, earned: 0n });
  far.purse.releaseLane(ALLOTMENT, 0);
  assert.deepEqual(await accept(far, out.signed), { ok: true, earned: 2n ** 99n });
  assert.deepEqual(heard, [
    ['lane', PAYEE, 2n ** 100n],
    ['sign', VOUCHER, CONTEXT],
    ['release', ALLOTMENT, 0],
    ['accept', out.signed, CONTEXT],
  ]);
});

test('calls of one turn travel in one message, and answers keep the order of the calls', async () => {
  const { channel, far } = bridged();
  let messages = 0;
  channel.port1.on('message', () => messages++);
  const order: bigint[] = [];
  await Promise.all(
    [1n, 2n, 3n].map(async (amount) => {
      const outcome = await sign(far, { ...VOUCHER, amount: atto(amount) });
      if (outcome.ok) order.push(outcome.signed.voucher.amount);
    }),
  );
  assert.deepEqual(order, [1n, 2n, 3n]);
  assert.equal(messages, 1);
});

test('a burst of questions leaves the event loop its turns, and keeps its order', async () => {
  const channel = new MessageChannel();
  channels.push(channel);
  const heard: bigint[] = [];
  const turns = new Set<number>();
  let turn = 0;
  const next = (): void => {
    turn++;
    if (heard.length < 40) setImmediate(next);
  };
  const { purse } = bridged().far;
  const slow: SellerBook = {
    admitLane: () => assert.fail('no lane is offered here'),
    acceptVoucher: ({ voucher: { amount } }, _context, done) => {
      const startedMs = performance.now();
      // As long as checking ten or twenty signatures.
      while (performance.now() - startedMs < 1);
      heard.push(amount);
      turns.add(turn);
      done({ ok: true, earned: amount });
    },
  };
  servePurseAndBook(channel.port1, { purse, book: slow });
  const far = purseAndBookOver(channel.port2);
  const amounts = Array.from({ length: 40 }, (_, at) => BigInt(at + 1));
  next();
  const signature = new Uint8Array(65);
  await Promise.all(
    amounts.map((amount) =>
      accept(far, { voucher: { ...VOUCHER, amount: atto(amount) }, signature }),
    ),
  );
  assert.deepEqual(heard, amounts);
  assert.ok(turns.size >= 5, `answered in ${turns.size} turns`);
});

test('a signature that is a view of a large buffer is sent without the buffer', async () => {
  const { heard, far } = bridged();
  const signature = new Uint8Array(100_000).subarray(500, 565);
  await accept(far, { voucher: VOUCHER, signature });
  const [, received] = heard[0] as [string, { signature: Uint8Array }];
  assert.equal(received.signature.buffer.byteLength, 65);
});

test('when the wallet goes away, what waits is refused, and so is what comes later', async () => {
  const channel = new MessageChannel();
  channels.push(channel);
  const far = purseAndBookOver(channel.port2);
  const waiting = sign(far, VOUCHER);
  channel.port1.close();
  for (const outcome of [await waiting, await sign(far, VOUCHER)]) {
    assert.equal(outcome.ok ? '' : outcome.refusal.code, 'money-closed');
  }
});
