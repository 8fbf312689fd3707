import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { atto, type Hash32, parseAddress, parseHash32 } from '../units/index.ts';
import type { LegacyTransaction, TransactionSigner } from './account.ts';
import { ChainError } from './chain-error.ts';
import { type JournalEntry, memoryJournal, type SendJournal } from './send-journal.ts';
import { SendQueue } from './send-queue.ts';
import { FakeNode } from './testing/fake-node.ts';

const ACCOUNT = parseAddress(`0x${'1'.repeat(40)}`);
const CONTRACT = parseAddress(`0x${'2'.repeat(40)}`);

const queues: SendQueue[] = [];
after(async () => {
  for (const queue of queues) await queue.close();
});

let signatures = 0;

/** Signs with a number instead of a key: every signature is another transaction. */
function fakeSigner(node: FakeNode): TransactionSigner {
  return {
    address: ACCOUNT,
    async sign({ nonce }: LegacyTransaction) {
      const hash: Hash32 = parseHash32(`0x${(++signatures).toString(16).padStart(64, '0')}`);
      const raw = `0xraw${signatures}` as const;
      node.know(raw, hash, nonce);
      return { raw, hash };
    },
  };
}

function queueOn(node: FakeNode, journal: SendJournal): SendQueue {
  const parts = {
    rpc: node,
    chainId: 1,
    signer: fakeSigner(node),
    journal,
    explainRevert: () => null,
  };
  const options = { gasPriceMin: atto(0n), pollMs: 2, idlePollMs: 2, rebroadcastMs: 4 };
  const queue = new SendQueue(parts, options);
  queues.push(queue);
  return queue;
}

const request = (purpose: string, depth = 0) =>
  ({ to: CONTRACT, data: '0x', purpose, depth }) as const;
const refusal = (message: string, isUncertain = false) =>
  new ChainError(
    'CHAIN_RPC',
    message,
    { message, revertData: null, isUncertain },
    { cause: 'node' },
  );

async function untilTrue(what: string, isSo: () => boolean): Promise<void> {
  for (let look = 0; look < 1_000; look++) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.fail(`never came true: ${what}`);
}

test('nonces go up by one, and each transaction is journaled before it is broadcast', async () => {
  const node = new FakeNode();
  const journal = memoryJournal();
  const journaled: string[] = [];
  const watching: SendJournal = {
    ...journal,
    add: (entry) => {
      assert.ok(!node.broadcasts.includes(entry.raw));
      journaled.push(entry.raw);
      journal.add(entry);
    },
  };
  const queue = queueOn(node, watching);
  await Promise.all([0, 1, 2].map((at) => queue.send(request(`number ${at}`))));
  assert.deepEqual(node.broadcasts, journaled);
  assert.deepEqual(
    journal.entries(ACCOUNT, 0).map(({ nonce, state }) => [nonce, state]),
    [
      [0, 'final'],
      [1, 'final'],
      [2, 'final'],
    ],
  );
});

test('a crash after journaling and before broadcasting sends once, at the next start', async () => {
  const node = new FakeNode();
  const journal = memoryJournal();
  const signed = await fakeSigner(node).sign({ nonce: 0 } as LegacyTransaction);
  const entry: JournalEntry = {
    account: ACCOUNT,
    nonce: 0,
    ...signed,
    purpose: 'interrupted',
    depth: 0,
    state: 'sent',
    createdAtMs: 0,
  };
  journal.add(entry);
  const queue = queueOn(node, journal);
  const receipt = await queue.waitFor('interrupted');
  assert.equal(receipt?.hash, signed.hash);
  assert.equal(queue.waitFor('interrupted'), null, 'it is settled');
  assert.equal(journal.entries(ACCOUNT, 0).length, 1);
});

test('a crash after broadcasting sends nothing again: the receipt is found', async () => {
  const node = new FakeNode();
  const journal = memoryJournal();
  node.isMining = false;
  const first = queueOn(node, journal);
  const sending = first.send(request('broadcast'));
  await untilTrue('it is broadcast', () => node.broadcasts.length === 1);
  await untilTrue('it is under way', () => first.pending.length === 1);
  await first.close();
  await assert.rejects(sending, { code: 'CHAIN_CLOSED' });
  node.mine();
  const second = queueOn(node, journal);
  assert.ok(await second.waitFor('broadcast'));
  assert.equal(new Set(node.broadcasts).size, 1);
});

test('a receipt counts only when enough blocks lie on top', async () => {
  const node = new FakeNode();
  const queue = queueOn(node, memoryJournal());
  let isDone = false;
  const sending = queue.send(request('deep', 3)).then(() => {
    isDone = true;
  });
  await untilTrue('it is broadcast', () => node.broadcasts.length === 1);
  node.mine(2);
  const before = node.receiptLooks;
  await untilTrue('it has been looked for', () => node.receiptLooks >= before + 3);
  assert.equal(isDone, false);
  node.mine();
  await sending;
});

test('a transaction whose block is rolled back while it is waited for is sent again', async () => {
  const node = new FakeNode();
  const queue = queueOn(node, memoryJournal());
  const sending = queue.send(request('rolled back', 2));
  await untilTrue('it is broadcast', () => node.broadcasts.length === 1);
  node.rollBackTo(1);
  await untilTrue('it is broadcast again', () => node.broadcasts.length > 1);
  node.mine(2);
  await sending;
  assert.equal(new Set(node.broadcasts).size, 1, 'the very same transaction');
});

test('transactions that were final and are gone are sent again, in order', async () => {
  const node = new FakeNode();
  const queue = queueOn(node, memoryJournal());
  for (const at of [0, 1, 2]) await queue.send(request(`number ${at}`));
  const sent = [...node.broadcasts];
  node.rollBackTo(2);
  await untilTrue('all are there again', () => node.broadcasts.length >= 5);
  assert.deepEqual(node.broadcasts.slice(3, 5), sent.slice(1));
});

test('a certain refusal fails the call and frees its nonce', async () => {
  const node = new FakeNode();
  const journal = memoryJournal();
  const queue = queueOn(node, journal);
  node.refusals.push(refusal('intrinsic gas too low'));
  await assert.rejects(queue.send(request('refused')), /intrinsic gas too low/);
  await queue.send(request('next'));
  assert.deepEqual(
    journal.entries(ACCOUNT, 0).map(({ nonce, purpose }) => [nonce, purpose]),
    [[0, 'next']],
  );
});

test('after an uncertain failure the transaction is pursued, not signed anew', async () => {
  const node = new FakeNode();
  const queue = queueOn(node, memoryJournal());
  node.refusals.push(new ChainError('CHAIN_UNREACHABLE', 'no RPC endpoint answers'));
  await queue.send(request('uncertain'));
  assert.equal(node.broadcasts.length, 2);
  assert.equal(new Set(node.broadcasts).size, 1);
});

test('a nonce used by another program is noticed and said', async () => {
  const node = new FakeNode();
  const journal = memoryJournal();
  node.isMining = false;
  const queue = queueOn(node, journal);
  const sending = queue.send(request('overtaken'));
  await untilTrue('it is broadcast', () => node.broadcasts.length === 1);
  node.takeNonce(0);
  await assert.rejects(sending, { code: 'CHAIN_NONCE_TAKEN' });
  assert.equal(journal.unsettled(ACCOUNT).length, 0);
});
