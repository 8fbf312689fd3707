import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Address, atto, parseAddress } from '../../units/index.ts';
import { Chain } from '../chain.ts';
import { LOCAL_ESCROW } from '../networks.ts';
import { memoryJournal } from '../send-journal.ts';
import { isAnvilOf, killStrayAnvil } from './anvil-process.ts';
import { readHostRecord } from './host-record.ts';

const BTT = 10n ** 18n;
const root = mkdtempSync(join(tmpdir(), 'bidwidth-local-'));
const chains = new Set<Chain>();
const children = new Set<ChildProcess>();
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const chain of [...chains].reverse()) await chain.close();
  for (const name of readdirSync(root)) reap(join(root, name));
  rmSync(root, { recursive: true, force: true });
});

async function openIn(folder: string): Promise<Chain> {
  const chain = await Chain.open({ network: { name: 'local' }, localFolder: join(root, folder) });
  chains.add(chain);
  return chain;
}

function reap(folder: string): void {
  const record = readHostRecord(folder);
  if (record && record.anvilPid !== 0) killStrayAnvil(record.anvilPid, realpathSync(folder));
}

function account(digit: string): Address {
  return parseAddress(`0x${digit.repeat(40)}`);
}

async function untilTrue(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 400; look++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`never came true: ${what}`);
}

/** Another process that hosts or joins the chain of a folder, and says so. */
async function openElsewhere(folder: string): Promise<{ child: ChildProcess; isHost: boolean }> {
  const door = new URL('../index.ts', import.meta.url).href;
  const program = `
    const { openChain } = await import(${JSON.stringify(door)});
    const localFolder = ${JSON.stringify(join(root, folder))};
    const chain = await openChain({ network: { name: 'local' }, localFolder });
    console.log(chain.local.isHost);
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const said = await new Promise<string>((resolve) =>
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
  );
  return { child, isHost: said === 'true' };
}

test('a fresh chain has the contract at its fixed address, and no base fee', async () => {
  const chain = await openIn('fresh');
  await chain.requireEscrow();
  assert.equal(chain.escrow.address, LOCAL_ESCROW);
  const block = await chain.rpc.call('eth_getBlockByNumber', ['latest', false]);
  assert.ok(block && typeof block === 'object' && !('baseFeePerGas' in block));
});

test('what was answered survives kill -9 of anvil, and the port stays', async () => {
  const chain = await openIn('killed');
  for (let round = 1n; round <= 3n; round++) {
    await chain.faucet(account('a'), atto(BTT));
    const pid = await chain.local?.anvilPid();
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    assert.equal(await chain.balance(account('a')), round * BTT);
  }
});

test('a clean stop and a new start keep the state, the port and the clock', async () => {
  const first = await openIn('stopped');
  await first.faucet(account('b'), atto(5n * BTT));
  const later = await first.advanceTime(1_000_000);
  const url = first.local?.rpcUrl;
  await first.close();
  chains.delete(first);
  const second = await openIn('stopped');
  assert.equal(second.local?.rpcUrl, url);
  assert.equal(await second.balance(account('b')), 5n * BTT);
  await second.advanceTime(1);
  assert.ok((await second.clockAheadSeconds(Date.now())) >= 999_990, `${later}`);
});

// Every start added a genesis block to the state, and which of them was block 0 changed by chance:
// ledgers then were refused as another chain's.
test('a chain keeps its first block over many starts', async () => {
  const first = await openIn('genesis');
  const genesis = await first.genesisHash();
  for (let round = 0; round < 3; round++) {
    const pid = await first.local?.anvilPid();
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    assert.equal(await first.genesisHash(), genesis);
    await first.faucet(account('f'), atto(1n));
  }
});

test('a torn newest generation falls back to the one before it', async () => {
  const first = await openIn('torn');
  await first.faucet(account('c'), atto(BTT));
  await first.close();
  chains.delete(first);
  const newest = readdirSync(join(root, 'torn'))
    .filter((name) => name.startsWith('state-'))
    .sort()
    .at(-1);
  assert.ok(newest);
  const path = join(root, 'torn', newest);
  writeFileSync(path, readFileSync(path).subarray(0, 100));
  const second = await openIn('torn');
  assert.equal(await second.balance(account('c')), BTT);
});

test('two folders are two chains, each on a port of its own', async () => {
  const [one, two] = await Promise.all([openIn('one'), openIn('two')]);
  await one.faucet(account('d'), atto(BTT));
  assert.notEqual(one.local?.rpcUrl, two.local?.rpcUrl);
  assert.equal(await two.balance(account('d')), 0n);
});

test('a second process of the same folder joins, and hosts when the first is killed', async () => {
  const { child, isHost } = await openElsewhere('shared');
  assert.equal(isHost, true);
  const joined = await openIn('shared');
  assert.equal(joined.local?.isHost, false);
  await joined.faucet(account('e'), atto(2n * BTT));
  const stray = readHostRecord(join(root, 'shared'))?.anvilPid ?? 0;
  const folder = realpathSync(join(root, 'shared'));
  assert.ok(isAnvilOf(stray, folder));
  child.kill('SIGKILL');
  await untilTrue('the joined process hosts', () => joined.local?.isHost === true);
  assert.equal(await joined.balance(account('e')), 2n * BTT);
  await untilTrue('the stray anvil is gone', () => !isAnvilOf(stray, folder));
});

test('a process id that now belongs to somebody else is left alone', () => {
  assert.equal(isAnvilOf(process.pid, root), false);
  assert.doesNotThrow(() => killStrayAnvil(process.pid, root));
});

test('web pages and foreign hosts are kept out, and only known methods go through', async () => {
  const chain = await openIn('fenced');
  const url = chain.local?.rpcUrl ?? '';
  const ask = async (method: string, headers: Record<string, string> = {}) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] });
    const response = await fetch(url, { method: 'POST', body, headers });
    return { status: response.status, text: await response.text() };
  };
  assert.equal((await ask('eth_chainId', { origin: 'https://example.org' })).status, 403);
  assert.match((await ask('anvil_impersonateAccount')).text, /has no method/);
  assert.match((await ask('eth_sendTransaction')).text, /has no method/);
  assert.equal((await ask('eth_chainId')).status, 200);
});

test('the contract can be deployed once more, and is used from then on', async () => {
  const chain = await openIn('deployed');
  const queue = chain.queueFor(new Uint8Array(32).fill(3), memoryJournal());
  await assert.rejects(chain.deployEscrow(queue), { code: 'CHAIN_FUNDS' });
  await chain.faucet(queue.account, atto(BTT));
  const address = await chain.deployEscrow(queue);
  assert.notEqual(address, LOCAL_ESCROW);
  await chain.escrow.deposit(queue, atto(5n), { purpose: 'deposit' });
  assert.equal(await chain.balance(address), 5n);
  await queue.close();
});

test('a call that the contract refuses is explained by its own error', async () => {
  const chain = await openIn('deployed');
  const queue = chain.queueFor(new Uint8Array(32).fill(3), memoryJournal());
  const payout = { amount: atto(9n), to: queue.account };
  await assert.rejects(chain.escrow.withdraw(queue, payout, { purpose: 'withdraw' }), {
    code: 'CHAIN_REVERTED',
    message: 'the contract refused (withdraw): AccountTooPoor(0, 9)',
  });
  await queue.close();
});

test('a network without a contract says so', async () => {
  const { rpcUrl = '' } = (await openIn('deployed')).local ?? {};
  const network = { name: 'mine', chainId: 31_199, rpcUrls: [rpcUrl] };
  const nowhere = await Chain.open({ network, localFolder: '' });
  assert.throws(() => nowhere.escrow, { code: 'CHAIN_NO_CONTRACT' });
  const wrong = { ...network, escrow: account('9') };
  const empty = await Chain.open({ network: wrong, localFolder: '' });
  await assert.rejects(empty.requireEscrow(), { code: 'CHAIN_NO_CONTRACT' });
  await assert.rejects(empty.escrow.free(account('1')), { code: 'CHAIN_NO_CONTRACT' });
});

test('fifty transactions of one account at once all arrive, in order', async () => {
  const chain = await openIn('fifty');
  const queue = chain.queueFor(new Uint8Array(32).fill(1), memoryJournal());
  await chain.faucet(queue.account, atto(BTT));
  const deposits = Array.from({ length: 50 }, (_, at) =>
    chain.escrow.deposit(queue, atto(BigInt(at)), { purpose: `deposit ${at}` }),
  );
  const receipts = await Promise.all(deposits);
  assert.equal(await chain.escrow.free(queue.account), 1_225n);
  const blocks = receipts.map(({ blockNumber }) => blockNumber);
  assert.deepEqual(
    blocks,
    [...blocks].sort((a, b) => a - b),
  );
  await queue.close();
});

test('sending goes on while anvil is killed again and again, nothing lost, nothing doubled', async () => {
  const chain = await openIn('stormy');
  const queue = chain.queueFor(new Uint8Array(32).fill(2), memoryJournal());
  await chain.faucet(queue.account, atto(BTT));
  let sum = 0n;
  for (let round = 0; round < 3; round++) {
    const deposits = Array.from({ length: 8 }, (_, at) => {
      sum += BigInt(at);
      return chain.escrow.deposit(queue, atto(BigInt(at)), { purpose: `deposit ${at}` });
    });
    const pid = await chain.local?.anvilPid();
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    await Promise.all(deposits);
  }
  assert.equal(await chain.escrow.free(queue.account), sum);
  await queue.close();
});
