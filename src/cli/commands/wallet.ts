/** `bidwidth wallet`: keys, coins, and what was paid and earned. */
import { writeFile } from 'node:fs/promises';
import { DaemonError } from '../../daemon/index.ts';
import type { MoneyService, Traffic } from '../../daemon/money/index.ts';
import {
  createWalletFile,
  importWalletFile,
  openWallet,
  walletAddress,
} from '../../daemon/wallet/index.ts';
import {
  type Address,
  type Atto,
  addAtto,
  formatBtt,
  formatSize,
  ZERO_ATTO,
} from '../../units/index.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { counted } from '../counted.ts';
import { readPhrase } from '../password.ts';
import { type WalletOptions, walletChoice } from './wallet-options.ts';

/** Makes a wallet and shows its words, the only time they are seen. */
export async function createWallet({ output }: Context, options: WalletOptions): Promise<void> {
  const { keys, phrase } = await createWalletFile(walletChoice(options));
  output.summary({ ok: true, address: keys.address, phrase }, [
    `address  ${keys.address}`,
    `words    ${phrase}`,
    'Write the words down: they are the only way to get the wallet back. They are not shown again.',
  ]);
}

/** Makes a wallet from its words. */
export async function importWallet({ output }: Context, options: WalletOptions): Promise<void> {
  const { address } = await importWalletFile(walletChoice(options), await readPhrase());
  output.summary({ ok: true, address }, [`address  ${address}`]);
}

/** The account, without a password. */
export async function showAddress({ output }: Context, options: WalletOptions): Promise<void> {
  const address = await walletAddress(walletChoice(options));
  output.summary({ ok: true, address }, [address]);
}

/** Where the coins are. */
export async function showBalance({ output }: Context, options: WalletOptions): Promise<void> {
  await withMoney(options, async (money) => {
    const { wallet, free, locked, earnedUnclaimed } = await money.balances();
    const facts = {
      walletAtto: wallet,
      freeAtto: free,
      lockedAtto: locked,
      earnedUnclaimedAtto: earnedUnclaimed,
    };
    output.summary({ ok: true, address: money.account, ...facts }, [
      `address            ${money.account}`,
      `in the wallet      ${formatBtt(wallet)} BTT`,
      `in the contract    ${formatBtt(free)} BTT, free to spend or withdraw`,
      `locked for sellers ${formatBtt(locked)} BTT`,
      `earned, unclaimed  ${formatBtt(earnedUnclaimed)} BTT`,
    ]);
  });
}

/** From the wallet into the contract. */
export async function deposit(
  { output }: Context,
  amount: Atto,
  options: WalletOptions,
): Promise<void> {
  await withMoney(options, async (money) => {
    await money.deposit(amount);
    const { free } = await money.balances();
    const lines = [`deposited ${formatBtt(amount)} BTT; ${formatBtt(free)} BTT are free now`];
    output.summary({ ok: true, amountAtto: amount, freeAtto: free }, lines);
  });
}

/** From the contract to a wallet. */
export async function withdraw(
  { output }: Context,
  amount: Atto,
  options: WalletOptions & { readonly to?: Address },
): Promise<void> {
  await withMoney(options, async (money) => {
    const to = options.to ?? money.account;
    await money.withdraw(amount, to);
    const lines = [`withdrew ${formatBtt(amount)} BTT to ${to}`];
    output.summary({ ok: true, amountAtto: amount, to }, lines);
  });
}

/** Movements on the chain, newest first. */
export async function showHistory({ output }: Context, options: WalletOptions): Promise<void> {
  await withMoney(options, async (money) => {
    const movements = money.history();
    const lines = movements.map(({ atMs, kind, amount, subject }) =>
      [new Date(atMs).toISOString().slice(0, 19), kind.padEnd(8), formatBtt(amount), subject].join(
        '  ',
      ),
    );
    output.summary({ ok: true, movements }, lines.length > 0 ? lines : ['nothing has moved yet']);
  });
}

/** What was earned, and what was paid, by torrent and peer. */
export async function showEarnings({ output }: Context, options: WalletOptions): Promise<void> {
  await withMoney(options, async (money) => {
    const traffic = money.traffic();
    const earnedAtto = sumOf(traffic, 'sold');
    const paidAtto = sumOf(traffic, 'bought');
    const lines = traffic.map(
      ({ side, amount, byteCount, torrentKey, remote }) =>
        `${side.padEnd(6)}  ${formatBtt(amount)} BTT  ${formatSize(byteCount)}  ` +
        `${torrentKey.slice(0, 12)}  ${remote}`,
    );
    output.summary({ ok: true, earnedAtto, paidAtto, traffic }, [
      ...lines,
      `earned ${formatBtt(earnedAtto)} BTT, paid ${formatBtt(paidAtto)} BTT`,
    ]);
  });
}

/** Cashes what is worth its gas, and takes back what sellers left. */
export async function settleClaims({ output }: Context, options: WalletOptions): Promise<void> {
  await withMoney(options, async (money) => {
    const { claims, refunds } = await money.settle();
    output.summary({ ok: true, claims, refunds }, [
      `claimed ${formatBtt(claims.amount)} BTT from ${counted(claims.laneCount, 'lane')}`,
      ...(claims.notWorthCount === 0
        ? []
        : [`not worth the gas yet: ${counted(claims.notWorthCount, 'lane')}`]),
      `took back ${formatBtt(refunds.amount)} BTT ` +
        `from ${counted(refunds.allotmentCount, 'allotment')}`,
    ]);
  });
}

/** The history as CSV, to a file or to standard output. */
export async function exportHistory(
  { output }: Context,
  options: WalletOptions & { readonly csv: string | boolean; readonly what: string },
): Promise<void> {
  await withMoney(options, async (money) => {
    const tables = money.csv();
    if (options.what !== 'movements' && options.what !== 'traffic') {
      throw new CliError('CLI_USAGE', `'${options.what}' is no table: use movements or traffic`);
    }
    const csv = tables[options.what];
    if (typeof options.csv !== 'string') return output.summary({ ok: true, csv }, csvLines(csv));
    try {
      await writeFile(options.csv, csv, { flag: 'wx' });
    } catch (cause) {
      const text = `${options.csv} cannot be written: choose a new file in a folder of yours`;
      throw new DaemonError('DAEMON_FILE_UNWRITABLE', text, { path: options.csv }, { cause });
    }
    output.summary({ ok: true, path: options.csv }, [`wrote ${options.csv}`]);
  });
}

async function withMoney(
  options: WalletOptions,
  use: (money: MoneyService) => Promise<void>,
): Promise<void> {
  const money = await openWallet(walletChoice(options));
  try {
    await use(money);
  } finally {
    await money.close();
  }
}

function sumOf(traffic: readonly Traffic[], wanted: Traffic['side']): Atto {
  return traffic
    .filter(({ side }) => side === wanted)
    .reduce((sum, { amount }) => addAtto(sum, amount), ZERO_ATTO);
}

function csvLines(csv: string): readonly string[] {
  return csv.trimEnd().split('\r\n');
}
