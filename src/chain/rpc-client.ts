/**
 * JSON-RPC over several endpoints: the first that works answers, liars about the chain id never.
 */
import { ChainError } from './chain-error.ts';
import { isChainBusy, postJsonRpc, RpcAnswerError } from './rpc-transport.ts';

/** How a chain is asked. */
export interface RpcOptions {
  /** In order of preference; at least one. */
  readonly urls: readonly string[];
  /** What every endpoint must say its chain is. */
  readonly chainId: number;
  /** One endpoint's time to answer. Default 10,000 ms. */
  readonly timeoutMs?: number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly nowMs?: () => number;
}

/** One endpoint as the user may see it. Without the path, which may hold an API key. */
export interface EndpointHealth {
  readonly host: string;
  readonly state: 'untried' | 'good' | 'failing' | 'wrong-chain';
  /** The last failure in plain words. */
  readonly note: string | null;
}

/** Asks a question of the chain. */
export interface Rpc {
  /**
   * The result of one call. Throws `ChainError`: `CHAIN_UNREACHABLE`, `CHAIN_WRONG_ID`, or
   * `CHAIN_RPC` with `details.message` and `details.revertData` when the node answered with an
   * error.
   */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
}

const BACKOFF_MS_FIRST = 1_000;
const BACKOFF_MS_MAX = 60_000;

interface Endpoint {
  readonly url: string;
  readonly host: string;
  state: EndpointHealth['state'];
  note: string | null;
  failures: number;
  retryAtMs: number;
  isVerified: boolean;
}

/** Calls go to the first healthy endpoint; one that failed is left alone for a growing while. */
export class RpcClient implements Rpc {
  readonly chainId: number;
  readonly #endpoints: readonly Endpoint[];
  readonly #timeoutMs: number;
  readonly #nowMs: () => number;

  constructor(options: RpcOptions) {
    this.chainId = options.chainId;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#endpoints = options.urls.map(newEndpoint);
  }

  /** Every endpoint and how it is doing. */
  health(): readonly EndpointHealth[] {
    return this.#endpoints.map(({ host, state, note }) => ({ host, state, note }));
  }

  async call(method: string, params: readonly unknown[]): Promise<unknown> {
    let isUncertain = false;
    for (const endpoint of this.#byPreference()) {
      try {
        if (!endpoint.isVerified) await this.#verify(endpoint);
        if (endpoint.state === 'wrong-chain') continue;
        const result = await postJsonRpc(endpoint.url, { method, params }, this.#timeoutMs);
        this.#succeeded(endpoint);
        return result;
      } catch (error) {
        if (error instanceof RpcAnswerError && !isChainBusy(error)) {
          this.#succeeded(endpoint);
          throw rpcError(method, error, isUncertain);
        }
        isUncertain = true;
        this.#failed(endpoint, error);
      }
    }
    throw this.#nobodyAnswered();
  }

  #byPreference(): Endpoint[] {
    const nowMs = this.#nowMs();
    const usable = this.#endpoints.filter((endpoint) => endpoint.state !== 'wrong-chain');
    const rested = usable.filter((endpoint) => endpoint.retryAtMs <= nowMs);
    // With nothing else left, one that is resting is better than nothing.
    return [...rested, ...usable.filter((endpoint) => endpoint.retryAtMs > nowMs)];
  }

  async #verify(endpoint: Endpoint): Promise<void> {
    const request = { method: 'eth_chainId', params: [] };
    const answer = Number(await postJsonRpc(endpoint.url, request, this.#timeoutMs));
    endpoint.isVerified = true;
    if (answer === this.chainId) return;
    endpoint.state = 'wrong-chain';
    endpoint.note = `says it is chain ${answer}, not ${this.chainId}: not used`;
  }

  #succeeded(endpoint: Endpoint): void {
    endpoint.state = 'good';
    endpoint.note = null;
    endpoint.failures = 0;
    endpoint.retryAtMs = 0;
  }

  #failed(endpoint: Endpoint, error: unknown): void {
    endpoint.state = 'failing';
    endpoint.note = error instanceof Error ? error.message : String(error);
    endpoint.retryAtMs =
      this.#nowMs() + Math.min(BACKOFF_MS_FIRST * 2 ** endpoint.failures, BACKOFF_MS_MAX);
    endpoint.failures++;
    // Something else may listen there when it comes back.
    endpoint.isVerified = false;
  }

  #nobodyAnswered(): ChainError {
    const notes = this.#endpoints.map(({ host, note }) => `${host}: ${note ?? 'no answer'}`);
    const isLie = this.#endpoints.every(({ state }) => state === 'wrong-chain');
    const text = isLie ? 'every RPC endpoint is of another chain' : 'no RPC endpoint answers';
    return new ChainError(
      isLie ? 'CHAIN_WRONG_ID' : 'CHAIN_UNREACHABLE',
      `${text} (chain ${this.chainId}; ${notes.join('; ')})`,
      { chainId: this.chainId },
    );
  }
}

function newEndpoint(url: string): Endpoint {
  return {
    url,
    host: new URL(url).host,
    state: 'untried',
    note: null,
    failures: 0,
    retryAtMs: 0,
    isVerified: false,
  };
}

function rpcError(method: string, cause: RpcAnswerError, isUncertain: boolean): ChainError {
  const { message, revertData } = cause;
  // Uncertain: another endpoint may have carried the call out before it failed to answer.
  const details = { method, message, revertData, isUncertain };
  return new ChainError('CHAIN_RPC', `${method}: ${message}`, details, { cause });
}
