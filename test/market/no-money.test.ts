/** Money is an extension, never a condition: where it is missing, lies, runs out, or is away. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { test } from 'node:test';
import type { Child, JsonLine } from '../support/children.ts';
import { sha256OfFile } from '../support/files.ts';
import { findFreePort } from '../support/ports.ts';
import { portOf, Stage } from './stage.ts';

const MIB = 1_048_576;
const MONEY = ['--max-price', '1000', '--budget', '100'];

/** The chain that is paid for in earnest: nobody is asked there, the wallet is missing first. */
const MAINNET = ['--network', 'bttc'];

test('without a wallet both sides say so in one line, and are ordinary peers', async () => {
  await using stage = await Stage.open('no-wallet', 2 * MIB);
  const seller = stage.seed({ name: 'seller', chain: MAINNET, options: ['--ask', '100'] });
  const peers = [await portOf(seller)];
  await seller.waitForLine(({ event }) => event === 'seeding');
  assert.match(noticeOf(seller), /without the market: there is no wallet .*bidwidth wallet create/);
  const buyer = await stage.download({ name: 'buyer', peers, chain: MAINNET, options: MONEY });
  await assertServedFree(stage, buyer);
  assert.match(noticeOf(buyer), /without the market: there is no wallet .*bidwidth wallet create/);
});

test('half of a bid is a usage error that names the other half', async () => {
  await using stage = await Stage.open('half-bid', MIB);
  const options = ['--max-price', '1000'];
  const buyer = await stage.download({ name: 'buyer', peers: [], options });
  assert.notEqual((await buyer.ended).code, 0);
  assert.match(buyer.output(), /--budget/);
});

test('a node whose RPC lies about its chain id, or is dead, goes on without the market', async () => {
  await using stage = await Stage.open('lying-rpc', 2 * MIB);
  const seller = stage.seed({ name: 'seller' });
  const peers = [await portOf(seller)];
  await using liar = await startLiar();
  const dead = `http://127.0.0.1:${await findFreePort()}`;
  for (const [url, name, reason] of [
    [liar.url, 'lied-to', /another chain/],
    [dead, 'unanswered', /has not answered yet: going on unpaid/],
  ] as const) {
    const chain = ['--network', 'local', '--rpc', url];
    const buyer = await stage.download({ name, peers, chain, options: MONEY });
    await assertServedFree(stage, buyer, name);
    assert.match(noticeOf(buyer), reason);
  }
});

test('a wallet without a coin downloads all the same', async () => {
  await using stage = await Stage.open('no-gas', 4 * MIB);
  const { port } = await openSeller(stage, []);
  const buyer = await stage.download({ name: 'buyer', peers: [port], options: MONEY });
  await assertServedFree(stage, buyer);
  assert.match(noticeOf(buyer), /too little BTT/);
});

test('a budget that is used up half way ends the paying, not the download', async () => {
  await using stage = await Stage.open('small-budget', 12 * MIB);
  const { port, seller } = await openSeller(stage, ['buyer']);
  // At 100 BTT a GiB the whole file costs 1.17 BTT.
  const options = ['--max-price', '1000', '--budget', '0.4'];
  const buyer = await stage.download({ name: 'buyer', peers: [port], options });
  await buyer.success();
  assert.equal(sha256OfFile(stage.copy('buyer')), sha256OfFile(stage.torrent.contentPath));
  assert.match(noticeOf(buyer), /budget is used up/);
  const paid = amountOf(buyer, 'paidAtto');
  assert.ok(paid > 0n && paid <= 400_000_000_000_000_000n, `${paid} of a budget of 0.4 BTT`);
  await seller.stop('SIGINT', 15_000);
  assert.equal(amountOf(seller, 'earnedAtto'), paid);
});

test('a chain that dies and comes back stops neither the bytes nor, in the end, the money', async () => {
  await using stage = await Stage.open('chain-outage', 16 * MIB);
  const chain = await stage.openChain('seller', 'buyer');
  const url = String((await chain.waitForLine(({ event }) => event === 'listening'))['rpcUrl']);
  // By its URL: nodes that share the chain's folder would host it themselves when it is gone.
  const remote = ['--network', 'local', '--rpc', url];
  const options = ['--ask', '100', '--upload-limit', '2M'];
  const seller = stage.seed({ name: 'seller', chain: remote, options });
  const peers = [await portOf(seller)];
  const buyer = await stage.download({ name: 'buyer', peers, chain: remote, options: MONEY });
  const paying = await buyer.waitForLine(({ paidAtto }) => BigInt(String(paidAtto ?? 0)) > 0n);
  await chain.stop('SIGKILL');
  for (const pid of stage.anvilPids()) process.kill(pid, 'SIGKILL');
  const before = Number(paying['haveBytes']);
  await buyer.waitForLine(({ haveBytes }) => Number(haveBytes) > before + 3 * MIB);
  await stage.startChain().waitForLine(({ event }) => event === 'listening');
  await buyer.success();
  assert.equal(sha256OfFile(stage.copy('buyer')), sha256OfFile(stage.torrent.contentPath));
  const paid = amountOf(buyer, 'paidAtto');
  assert.ok(paid > BigInt(String(paying['paidAtto'])), 'it went on paying');
  await seller.stop('SIGINT', 15_000);
  assert.equal(amountOf(seller, 'earnedAtto'), paid);
  const { claims } = (await stage.wallet('seller', ['claims'])) as unknown as Claimed;
  assert.equal(BigInt(claims.amount), paid, 'all of it could be cashed');
});

test('a chain that is away at the start is named soon, and paid on when it answers', async () => {
  await using stage = await Stage.open('chain-late', 24 * MIB);
  const chain = await stage.openChain('seller', 'near', 'far');
  const url = String((await chain.waitForLine(({ event }) => event === 'listening'))['rpcUrl']);
  const options = ['--ask', '100', '--upload-limit', '2M'];
  const seller = stage.seed({ name: 'seller', options });
  const peers = [await portOf(seller)];
  await seller.waitForLine(({ event }) => event === 'seeding');
  // Its host hangs: whoever asks gets no answer, and the lock is not free.
  process.kill(chain.pid, 'SIGSTOP');
  const beganMs = performance.now();
  const near = await stage.download({ name: 'near', peers, options: MONEY });
  const remote = ['--network', 'local', '--rpc', url];
  const far = await stage.download({ name: 'far', peers, chain: remote, options: MONEY });
  const waits = (text: RegExp) => (line: JsonLine) =>
    line['event'] === 'notice' && text.test(String(line['text']));
  for (const buyer of [near, far]) {
    await buyer.waitForLine(waits(/going on unpaid until it answers; see 'bidwidth chain status'/));
    await buyer.waitForLine(({ haveBytes }) => Number(haveBytes) > 0);
  }
  assert.ok(performance.now() - beganMs < 30_000);
  process.kill(chain.pid, 'SIGCONT');
  for (const buyer of [near, far]) {
    await buyer.waitForLine(waits(/the chain answers: trading as 0x/));
    await buyer.success();
    assert.ok(amountOf(buyer, 'paidAtto') > 0n, buyer.output());
  }
});

interface Claimed {
  readonly claims: { readonly amount: string };
}

async function openSeller(
  stage: Stage,
  buyers: readonly string[],
): Promise<{ readonly seller: Child; readonly port: number }> {
  await stage.openChain('seller', ...buyers);
  const options = ['--ask', '100', '--upload-limit', '4M'];
  const seller = stage.seed({ name: 'seller', options });
  await seller.waitForLine(({ event }) => event === 'seeding');
  return { seller, port: await portOf(seller) };
}

async function assertServedFree(stage: Stage, buyer: Child, name = 'buyer'): Promise<void> {
  await buyer.success();
  assert.equal(sha256OfFile(stage.copy(name)), sha256OfFile(stage.torrent.contentPath));
  assert.equal(amountOf(buyer, 'paidAtto'), 0n);
}

/** The notices of a node, which are one line each. */
function noticeOf(node: Child): string {
  const notices = node.lines().filter(({ event }) => event === 'notice');
  assert.equal(notices.length, 1, node.output());
  return String(notices[0]?.['text']);
}

function amountOf(node: Child, key: string): bigint {
  return BigInt(String(node.lines().at(-1)?.[key]));
}

/** Answers every question like a chain with another id. */
async function startLiar(): Promise<AsyncDisposable & { readonly url: string }> {
  const server: Server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x1' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}
