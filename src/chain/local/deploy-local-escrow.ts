/** Puts LaneEscrow at its fixed address on a fresh embedded chain. */
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex as hexOf } from 'viem';
import { keySigner } from '../account.ts';
import { ChainError } from '../chain-error.ts';
import { laneEscrowBytecode } from '../lane-escrow.generated.ts';
import { LOCAL_CHAIN_ID, LOCAL_ESCROW, LOCAL_GAS_PRICE } from '../networks.ts';

/** A key everybody knows: it owns nothing but the first nonce. */
const DEPLOYER_KEY = new TextEncoder().encode('bidwidth: local chain deployer 1');

const DEPLOY_GAS = 5_000_000n;

const LOOKS_MAX = 500;
const LOOK_MS = 10;

/** Does nothing when the contract is there. `ask` talks to anvil directly. */
export async function deployLocalEscrow(
  ask: (method: string, params: readonly unknown[]) => Promise<unknown>,
): Promise<void> {
  if ((await ask('eth_getCode', [LOCAL_ESCROW, 'latest'])) !== '0x') return;
  const deployer = keySigner(DEPLOYER_KEY);
  await ask('anvil_addBalance', [deployer.address, hexOf(DEPLOY_GAS * LOCAL_GAS_PRICE)]);
  const { raw } = await deployer.sign({
    chainId: LOCAL_CHAIN_ID,
    nonce: 0,
    to: null,
    data: laneEscrowBytecode,
    value: 0n,
    gas: DEPLOY_GAS,
    gasPrice: LOCAL_GAS_PRICE,
  });
  await ask('eth_sendRawTransaction', [raw]);
  // anvil answers before the block is made.
  for (let look = 0; look < LOOKS_MAX; look++) {
    if ((await ask('eth_getCode', [LOCAL_ESCROW, 'latest'])) !== '0x') return;
    await sleep(LOOK_MS);
  }
  throw new ChainError('CHAIN_LOCAL', 'LaneEscrow could not be deployed on the local chain');
}
