import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type Demand, divideLimit } from './divide-limit.ts';
import { LimitBalancer, type LimitedThread } from './limit-balancer.ts';
import type { TransferLoad, TransferRates } from './messages.ts';

const SECOND_MS = 1_000;

function assertNear(parts: readonly number[], wanted: readonly number[]): void {
  assert.equal(parts.length, wanted.length);
  for (const [nth, part] of parts.entries()) {
    assert.ok(Math.abs(part - (wanted[nth] ?? 0)) < 1e-6, `${parts} instead of ${wanted}`);
  }
}

const idle = (part: number): Demand => ({ part, rate: 0, isHungry: false });
const hungry = (part: number): Demand => ({ part, rate: part, isHungry: true });

test('threads that use up their parts come to the same', () => {
  assertNear(divideLimit(100, [hungry(50), hungry(50)]), [50, 50]);
  assertNear(divideLimit(100, [hungry(98), hungry(2)]), [94, 6]);
  assertNear(divideLimit(100, [hungry(82), hungry(18)]), [50, 50]);
});

test('what one thread cannot use goes to the hungry one', () => {
  assertNear(divideLimit(100, [hungry(50), idle(50)]), [98, 2]);
  const modest = { part: 50, rate: 20, isHungry: false };
  assertNear(divideLimit(100, [hungry(50), modest]), [75, 25]);
});

test('while nobody needs all of it, the rest is divided evenly', () => {
  assertNear(divideLimit(100, [idle(100), idle(0)]), [50, 50]);
});

test('parts are never nothing, and never add up to more than the limit', () => {
  const rate = fc.double({ min: 0, max: 1e10, noNaN: true });
  const demand = fc.record({ part: rate, rate, isHungry: fc.boolean() });
  const limits = fc.double({ min: 1, max: 1e10, noNaN: true });
  fc.assert(
    fc.property(limits, fc.array(demand, { minLength: 1, maxLength: 8 }), (limit, demands) => {
      const parts = divideLimit(limit, demands);
      const sum = parts.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - limit) <= limit * 1e-9, `${sum} of ${limit}`);
      for (const part of parts) assert.ok(part >= (limit / demands.length) * 0.0399);
    }),
  );
});

/** A thread that could upload `demand` bytes a second, and uploads what it may. */
class FakeThread implements LimitedThread {
  hasCrashed = false;
  demand: number;
  part: number;
  readonly #pool: FakePool;
  #movedBytes = 0;

  constructor(pool: FakePool, demand: number, part: number) {
    this.#pool = pool;
    this.demand = demand;
    this.part = part;
  }

  pass(): number {
    const moved = Math.min(this.demand, this.part);
    this.#movedBytes += moved;
    return moved;
  }

  async load(): Promise<TransferLoad> {
    if (this.hasCrashed) throw new Error('it is gone');
    const wasShort = this.demand >= this.part;
    const unused = { movedBytes: 0, wasShort: false };
    return { upload: { movedBytes: this.#movedBytes, wasShort }, download: unused };
  }

  async limit({ upload }: TransferRates): Promise<void> {
    if (upload === undefined) return;
    this.part = upload;
    this.#pool.check();
  }
}

/** Threads under one limit, in seconds that pass when the test says so. */
class FakePool {
  readonly threads: FakeThread[];
  readonly balancer: LimitBalancer;
  limit: number;
  #nowMs = 0;
  readonly #context: TestContext;

  constructor(context: TestContext, limit: number, demands: readonly number[]) {
    context.mock.timers.enable({ apis: ['setInterval'] });
    this.#context = context;
    this.limit = limit;
    this.threads = demands.map((demand) => new FakeThread(this, demand, limit / demands.length));
    const limits = { upload: limit, download: Infinity };
    this.balancer = new LimitBalancer(this.threads, limits, () => this.#nowMs);
    context.after(() => this.balancer.stop());
  }

  check(): void {
    const sum = this.threads.reduce(
      (all, { part, hasCrashed }) => all + (hasCrashed ? 0 : part),
      0,
    );
    assert.ok(sum <= this.limit * (1 + 1e-9), `${sum} of ${this.limit}`);
  }

  /** What each moved in the second that passes. */
  async second(): Promise<number[]> {
    const moved = this.threads.map((thread) => thread.pass());
    this.#nowMs += SECOND_MS;
    this.#context.mock.timers.tick(SECOND_MS);
    await new Promise((resolve) => setImmediate(resolve));
    return moved;
  }
}

test('a limit moves to the thread that can use it within a second', async (t) => {
  const pool = new FakePool(t, 1_000, [5_000, 0]);
  assert.deepEqual(await pool.second(), [500, 0]);
  assertNear(await pool.second(), [980, 0]);
});

test('a thread that wakes gets its half within a few seconds, and none is lost meanwhile', async (t) => {
  const pool = new FakePool(t, 1_000, [5_000, 0]);
  await pool.second();
  const [, second] = pool.threads;
  assert.ok(second);
  second.demand = 5_000;
  for (let passed = 0; passed < 5; passed++) {
    const [a = 0, b = 0] = await pool.second();
    assert.ok(passed === 0 || a + b >= 960, `${a} + ${b}`);
  }
  assertNear(await pool.second(), [500, 500]);
});

test('a limit that is lowered is never exceeded on the way, and can be lifted', async (t) => {
  const pool = new FakePool(t, 1_000, [5_000, 100]);
  await pool.second();
  await pool.second();
  pool.limit = 1_000;
  await pool.balancer.limit({ upload: 300 });
  pool.limit = 300;
  pool.check();
  pool.limit = Infinity;
  await pool.balancer.limit({ upload: Infinity });
  assert.deepEqual(await pool.second(), [5_000, 100]);
});

test('the part of a thread that died goes to the others', async (t) => {
  const pool = new FakePool(t, 1_000, [5_000, 5_000]);
  await pool.second();
  const [first] = pool.threads;
  assert.ok(first);
  first.hasCrashed = true;
  await pool.second();
  const [, second] = await pool.second();
  assertNear([second ?? 0], [1_000]);
});
