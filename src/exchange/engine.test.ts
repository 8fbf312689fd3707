import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm } from '../sim/index.ts';
import { addTrader } from '../sim/money/index.ts';
import { bytesPerSecond, KIB, MIB } from '../units/index.ts';

test('two real engines: the file is right, and every sold byte is paid', () => {
  const swarm = new Swarm({ seed: 5, pieceLengthBytes: 256 * KIB, totalBytes: 24 * MIB });
  // All but one: two seeds would part before the last voucher is through.
  const has = (piece: number): boolean => piece > 0;
  const engine = { uploadLimit: bytesPerSecond(4 * MIB) };
  const seller = addTrader(swarm, { has, engine, ask: 1000n });
  const buyer = addTrader(swarm, { has: 'none', maxPrice: 5000n, budget: 10n ** 8n });
  swarm.introduce();
  const isServed = (): boolean => buyer.node.have.count === swarm.pieceCount - 1;
  assert.ok(swarm.clock.run(60_000, isServed), swarm.describe());
  swarm.clock.run(2_000, () => buyer.exchange.settle());

  const from = 256 * KIB;
  assert.deepEqual(buyer.node.store.bytes.subarray(from), swarm.memory.whole.subarray(from));
  const bought = buyer.exchange.snapshot().buyer;
  const sold = seller.exchange.snapshot().seller;
  assert.equal(sold?.soldBytes, bought?.boughtBytes);
  assert.ok((sold?.soldBytes ?? 0) > 20 * MIB, `${sold?.soldBytes} sold`);
  assert.equal(seller.book.earned, buyer.purse.signed);
  assert.equal(seller.book.earned, BigInt(Math.ceil(((sold?.soldBytes ?? 0) / MIB) * 1000)));
});
