/** Buying and selling by command: what one side paid is what the other side earned and cashes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { type Desk, type Finished, makeDesk, portOf } from './run.ts';

const ATTO_PER_BTT = 10n ** 18n;

test('a paid download: the seller earns and cashes exactly what the buyer paid', async () => {
  await using desk = await makeDesk('paid');
  const torrent = await makeContent(desk);
  const shared = ['--chain-dir', desk.at('chain')];
  const chain = desk.start(['chain', 'start', ...shared, '--json'], 'host');
  await chain.waitForLine((line) => line['event'] === 'listening');
  for (const home of ['buyer', 'seller']) {
    await succeed(desk, ['chain', 'faucet', '100', ...shared], home);
  }
  const seeder = desk.start(
    [
      ...['seed', torrent, '--from', desk.at('source'), '--ask', '2', ...shared],
      // Slow enough that the lane is there before everything came for free.
      ...['--port', '0', '--no-trackers', '--json', '--upload-limit', '4M'],
    ],
    'seller',
  );
  const peer = `127.0.0.1:${await portOf(seeder)}`;
  const bought = await succeed(
    desk,
    [
      ...['download', torrent, '--to', desk.at('copy'), '--peer', peer, '--port', '0'],
      ...['--no-trackers', '--max-price', '4', '--budget', '1', ...shared],
    ],
    'buyer',
  );
  assert.deepEqual(await digestTree(desk.at('copy')), await digestTree(desk.at('source')));
  const paid = BigInt(`${bought.summary['paidAtto']}`);
  assert.ok(paid > 0n && paid < ATTO_PER_BTT, `paid ${paid}`);
  assert.equal((await seeder.stop('SIGINT')).code, 0, seeder.output());
  assert.equal(seeder.lines().at(-1)?.['earnedAtto'], `${paid}`);
  const claims = await succeed(desk, ['wallet', 'claims', ...shared], 'seller');
  assert.equal((claims.summary['claims'] as { amount: string }).amount, `${paid}`);
  const balance = await succeed(desk, ['wallet', 'balance', ...shared], 'seller');
  assert.equal(balance.summary['freeAtto'], `${paid}`);
  const withdrawal = ['wallet', 'withdraw', btt(paid), ...shared];
  assert.equal((await succeed(desk, withdrawal, 'seller')).summary['amountAtto'], `${paid}`);
  const earnings = await succeed(desk, ['wallet', 'earnings', ...shared], 'seller');
  assert.equal(earnings.summary['earnedAtto'], `${paid}`);
  const history = await succeed(desk, ['wallet', 'history', ...shared], 'seller');
  const kinds = (history.summary['movements'] as { kind: string }[]).map(({ kind }) => kind);
  assert.deepEqual(kinds, ['withdraw', 'claim']);
  const csv = await succeed(desk, ['wallet', 'export', '--csv', ...shared], 'buyer');
  assert.match(`${csv.summary['csv']}`, /^time,kind,amountBtt.*\r\n.*,open,/);
});

test('without a wallet a paid download goes on as a plain one, and says so', async () => {
  await using desk = await makeDesk('unpaid');
  const torrent = await makeContent(desk);
  const seeder = desk.start(
    ['seed', torrent, '--from', desk.at('source'), '--port', '0', '--no-trackers', '--json'],
    'seller',
  );
  const peer = `127.0.0.1:${await portOf(seeder)}`;
  const ended = await succeed(
    desk,
    [
      ...['download', torrent, '--to', desk.at('copy'), '--peer', peer, '--port', '0'],
      ...['--no-trackers', '--network', 'bttc', '--max-price', '4', '--budget', '1'],
    ],
    'buyer',
  );
  assert.equal(ended.summary['paidAtto'], '0');
  const notice = ended.json.find((line) => line['event'] === 'notice');
  assert.match(`${notice?.['text']}`, /without the market: there is no wallet/);
});

test('a wallet is made once, comes back from its words, and its password is checked', async () => {
  await using desk = await makeDesk('wallet');
  const env = { BIDWIDTH_PASSWORD: 'correct horse' };
  const made = await desk.run(['wallet', 'create', '--json'], { env });
  assert.equal(made.code, 0, made.stderr);
  const phrase = `${made.summary['phrase']}`;
  assert.equal(phrase.split(' ').length, 12);
  const second = await desk.run(['wallet', 'create', '--json'], { env });
  assert.equal(second.summary['code'], 'KEYSTORE_EXISTS');
  const again = await desk.run(['wallet', 'import', '--json'], {
    ...{ env, home: 'other', stdin: `${phrase}\n` },
  });
  assert.equal(again.code, 0, again.stderr);
  assert.equal(again.summary['address'], made.summary['address']);
  const address = await desk.run(['wallet', 'address']);
  assert.equal(address.stdout.trim(), made.summary['address'], 'needs no password');
  const wrong = await desk.run(['wallet', 'balance', '--json'], {
    env: { BIDWIDTH_PASSWORD: 'wrong horse' },
  });
  assert.equal(wrong.summary['code'], 'KEYSTORE_PASSWORD');
});

async function makeContent(desk: Desk): Promise<string> {
  await writeRandomFile(desk.at('source', 'a.bin'), 20_000_000);
  const torrent = desk.at('a.torrent');
  await succeed(desk, ['create', desk.at('source', 'a.bin'), '--out', torrent], 'home');
  return torrent;
}

async function succeed(desk: Desk, args: readonly string[], home: string): Promise<Finished> {
  const ended = await desk.run([...args, '--json'], { home });
  assert.equal(ended.code, 0, `${args.join(' ')}\n${ended.stdout}${ended.stderr}`);
  return ended;
}

function btt(amount: bigint): string {
  return `${amount / ATTO_PER_BTT}.${(amount % ATTO_PER_BTT).toString().padStart(18, '0')}`;
}
