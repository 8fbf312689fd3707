/** The commands about money, and the options that choose a wallet and a chain. */
import { type Command, InvalidArgumentError } from 'commander';
import { defaultDataFolder } from '../daemon/index.ts';
import { type Address, type Atto, parseAddress } from '../units/index.ts';
import { collect, readBtt, readSeconds } from './arguments.ts';
import type { WalletOptions } from './commands/wallet-options.ts';
import type { Context } from './context.ts';

type WalletCommands = typeof import('./commands/wallet.ts');
type ChainCommands = typeof import('./commands/chain.ts');

/** `bidwidth wallet …`. */
export function addWalletCommands(program: Command, context: Context): void {
  const wallet = program.command('wallet').description('keys, coins, earnings');
  const add = (name: string, text: string, run: PlainRun<WalletCommands>): Command =>
    addWalletOptions(wallet.command(name).description(text)).action(
      async (options: WalletOptions) => run(await import('./commands/wallet.ts'), context, options),
    );
  add('create', 'make a wallet and show its twelve words once', (on, ...rest) =>
    on.createWallet(...rest),
  );
  add('import', 'make a wallet from its words, typed or piped in', (on, ...rest) =>
    on.importWallet(...rest),
  );
  add('address', 'show the account', (on, ...rest) => on.showAddress(...rest));
  add('balance', 'show where the coins are', (on, ...rest) => on.showBalance(...rest));
  add('history', 'list what moved on the chain', (on, ...rest) => on.showHistory(...rest));
  add('earnings', 'list what was earned and paid, by torrent and peer', (on, ...rest) =>
    on.showEarnings(...rest),
  );
  add('claims', 'cash earnings worth their gas; take back what sellers left', (on, ...rest) =>
    on.settleClaims(...rest),
  );
  addWalletOptions(wallet.command('deposit').description('from the wallet into the contract'))
    .argument('<btt>', 'amount in BTT', readBtt)
    .action(async (amount: Atto, options: WalletOptions) =>
      (await import('./commands/wallet.ts')).deposit(context, amount, options),
    );
  addWalletOptions(wallet.command('withdraw').description('from the contract to a wallet'))
    .argument('<btt>', 'amount in BTT', readBtt)
    .option('--to <address>', 'account that gets it; default your own', readAddress)
    .action(async (amount: Atto, options: WalletOptions & { readonly to?: Address }) =>
      (await import('./commands/wallet.ts')).withdraw(context, amount, options),
    );
  addWalletOptions(wallet.command('export').description('the history for a spreadsheet'))
    .requiredOption('--csv [file]', 'as CSV, to a new file or to standard output')
    .option('--what <table>', 'movements or traffic', 'movements')
    .action(async (options: ExportOptions) =>
      (await import('./commands/wallet.ts')).exportHistory(context, options),
    );
}

/** `bidwidth chain …`. */
export function addChainCommands(program: Command, context: Context): void {
  const chain = program.command('chain').description('the local chain, and the contract');
  const add = (name: string, text: string, run: PlainRun<ChainCommands>): Command =>
    addWalletOptions(chain.command(name).description(text)).action(async (options: WalletOptions) =>
      run(await import('./commands/chain.ts'), context, options),
    );
  add('start', 'run the local chain until Ctrl-C', (on, ...rest) => on.startChain(...rest));
  add('status', 'say whether the chain answers and has the contract', (on, ...rest) =>
    on.showChain(...rest),
  );
  add('deploy', 'put the LaneEscrow contract on a chain', (on, ...rest) =>
    on.deployContract(...rest),
  );
  addWalletOptions(chain.command('faucet').description('play money on the local chain'))
    .argument('<btt>', 'amount in BTT', readBtt)
    .option('--to <address>', 'account that gets it; default your own', readAddress)
    .action(async (amount: Atto, options: WalletOptions & { readonly to?: Address }) =>
      (await import('./commands/chain.ts')).faucet(context, amount, options),
    );
  addWalletOptions(chain.command('advance').description("move the local chain's clock"))
    .argument('<seconds>', 'by how much', readSeconds)
    .action(async (seconds: number, options: WalletOptions) =>
      (await import('./commands/chain.ts')).advanceClock(context, seconds, options),
    );
}

/** Options that choose a chain, for every command that may have to do with money. */
export function addChainOptions(command: Command): Command {
  return command
    .option('--network <name>', 'local, bttc, bttc-donau, or a name of yours with --rpc', 'local')
    .option('--rpc <url>', "the chain's JSON-RPC; may be repeated", collect)
    .option('--chain-id <number>', 'its chain id', readChainId)
    .option('--escrow <address>', 'where its LaneEscrow contract is', readAddress)
    .option('--chain-dir <dir>', "the local chain's folder (default: in the data folder)")
    .option('--password-file <file>', "file with the wallet's password");
}

type PlainRun<Module> = (on: Module, context: Context, options: WalletOptions) => Promise<void>;

type ExportOptions = WalletOptions & { readonly csv: string | boolean; readonly what: string };

function addWalletOptions(command: Command): Command {
  return addChainOptions(command)
    .option('--data-dir <dir>', 'where the node remembers things', defaultDataFolder(process.env))
    .option('--json', 'one JSON object per line');
}

function readAddress(text: string): Address {
  try {
    return parseAddress(text);
  } catch {
    throw new InvalidArgumentError('Use 0x and 40 hexadecimal digits.');
  }
}

function readChainId(text: string): number {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (id > 0) return id;
  throw new InvalidArgumentError('Use a whole number above 0.');
}
