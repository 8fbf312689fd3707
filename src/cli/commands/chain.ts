/** `bidwidth chain`: the local chain, and the contract on any chain. */
import {
  advanceChain,
  chainStatus,
  deployEscrow,
  grantPlayMoney,
  hostLocalChain,
  walletAddress,
} from '../../daemon/wallet/index.ts';
import { type Address, type Atto, formatBtt } from '../../units/index.ts';
import type { Context } from '../context.ts';
import { type WalletOptions, walletChoice } from './wallet-options.ts';

/** Runs the local chain until it is stopped, which is how it is meant to end. */
export async function startChain(context: Context, options: WalletOptions): Promise<void> {
  const { output } = context;
  const stop = context.catchStop();
  const hosted = await hostLocalChain(walletChoice(options));
  const { status, isHost } = hosted;
  const { chainId, escrow } = status;
  const rpcUrl = status.rpcUrls[0] ?? null;
  output.event('listening', { rpcUrl, chainId, escrow, isHost });
  output.line(`chain ${chainId} is at ${rpcUrl}, LaneEscrow at ${escrow}; until Ctrl-C`);
  if (!isHost) output.notice('another process hosts it already; this one waits to take over');
  await stop.wait();
  await hosted.stop();
  output.summary({ ok: true }, ['stopped; the chain goes on from here next time']);
}

/** Whether the chain can be reached and has the contract. */
export async function showChain(context: Context, options: WalletOptions): Promise<void> {
  const status = await chainStatus(walletChoice(options));
  if (!status.hasEscrow) context.exitCode = 1;
  const where = status.escrow ?? 'no address known';
  context.output.summary({ ok: status.hasEscrow, ...status }, [
    `network  ${status.network}, chain id ${status.chainId}`,
    `block    ${status.block}`,
    `gas      ${formatBtt(status.gasPriceAtto)} BTT a unit`,
    `escrow   ${where}${status.hasEscrow ? '' : ': there is no contract'}`,
  ]);
}

/** Deploys the contract with the wallet's coins. */
export async function deployContract({ output }: Context, options: WalletOptions): Promise<void> {
  const escrow = await deployEscrow(walletChoice(options));
  output.summary({ ok: true, escrow }, [`LaneEscrow is at ${escrow}`]);
}

/** Play money on the local chain. */
export async function faucet(
  { output }: Context,
  amount: Atto,
  options: WalletOptions & { readonly to?: Address },
): Promise<void> {
  const choice = walletChoice(options);
  const to = options.to ?? (await walletAddress(choice));
  await grantPlayMoney(choice, { to, amount });
  const lines = [`${to} has ${formatBtt(amount)} BTT of play money more`];
  output.summary({ ok: true, to, amountAtto: amount }, lines);
}

/** Moves the local chain's clock, to see what expires. */
export async function advanceClock(
  { output }: Context,
  seconds: number,
  options: WalletOptions,
): Promise<void> {
  const time = await advanceChain(walletChoice(options), seconds);
  const lines = [`the chain's clock is at ${new Date(time * 1000).toISOString()}`];
  output.summary({ ok: true, time }, lines);
}
