/** What is begun while the process that hosts the embedded chain dies is begun again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isChainError } from '../chain-error.ts';
import type { NetworkChoice } from '../networks.ts';

/** Another process notices in a second or two, and starts anvil; a busy machine takes longer. */
const TAKEOVER_MS = 15_000;
const RETRY_MS = 200;

/**
 * Does `work`, and does it again while nobody answers on the embedded chain: its host may have died
 * just now, and the next one needs a moment. On other networks the first failure counts.
 *
 * `work` must open the chain itself, as the next host may be this process, and leave nothing open
 * when it fails. It must not be one that harms when done twice.
 */
export async function throughTakeover<T>(
  network: NetworkChoice,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + TAKEOVER_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isPassing = network.name === 'local' && isChainError(error, 'CHAIN_UNREACHABLE');
      if (!isPassing || performance.now() >= deadline) throw error;
      await sleep(RETRY_MS);
    }
  }
}
