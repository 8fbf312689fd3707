/** The embedded chain as a node sees it: hosted here, or by another process of this machine. */
import { mkdirSync, realpathSync } from 'node:fs';
import { ChainError } from '../chain-error.ts';
import { LOCAL_CHAIN_ID } from '../networks.ts';
import { postJsonRpc } from '../rpc-transport.ts';
import { readHostRecord, tryHostLock } from './host-record.ts';
import { LocalHost } from './local-host.ts';

/** The embedded chain of a folder. */
export interface LocalChain {
  /** Stable while this object lives: a new host takes the same port when it can. */
  readonly rpcUrl: string;
  /** Whether anvil is a child of this process. */
  readonly isHost: boolean;
  /** The process id of anvil, when hosted here. For tests. */
  anvilPid(): Promise<number | null>;
  /** Stops hosting, or only lets go. */
  stop(): Promise<void>;
}

const ATTACH_ATTEMPTS = 100;
const ATTACH_WAIT_MS = 100;
const PING_MS = 1_000;
const PING_TIMEOUT_MS = 5_000;

/**
 * Opens the chain kept in `folder`. The first process hosts it; the others use its port, and one of
 * them takes over when the host goes. Throws `CHAIN_LOCAL`.
 */
export async function openLocalChain(folder: string): Promise<LocalChain> {
  mkdirSync(folder, { recursive: true });
  // The real path: it is what processes are compared by.
  const chain = new SharedChain(realpathSync(folder));
  await chain.open();
  return chain;
}

class SharedChain implements LocalChain {
  readonly #folder: string;
  #host: LocalHost | null = null;
  #attachedUrl: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get rpcUrl(): string {
    return this.#host?.rpcUrl ?? this.#attachedUrl ?? '';
  }

  get isHost(): boolean {
    return this.#host !== null;
  }

  async anvilPid(): Promise<number | null> {
    return this.#host?.anvilPid() ?? null;
  }

  async open(): Promise<void> {
    for (let attempt = 0; attempt < ATTACH_ATTEMPTS; attempt++) {
      if (await this.#tryOpen()) return;
      // The other process is still starting, or just ending.
      await new Promise((resolve) => setTimeout(resolve, ATTACH_WAIT_MS));
    }
    const text = `the local chain in ${this.#folder} is held by a process that does not answer`;
    throw new ChainError('CHAIN_LOCAL', text, { folder: this.#folder });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#host?.stop();
  }

  async #tryOpen(): Promise<boolean> {
    const lock = tryHostLock(this.#folder);
    if (lock) {
      this.#host = await LocalHost.open(this.#folder, lock);
      if (this.#isStopped) await this.#host.stop();
      return true;
    }
    const url = readHostRecord(this.#folder)?.rpcUrl;
    if (url === undefined || !(await isOurChain(url))) return false;
    this.#attachedUrl ??= url;
    this.#watchHost();
    return true;
  }

  /** Whoever is attached looks after the host, and hosts when it is gone. */
  #watchHost(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#check(), PING_MS);
    this.#timer.unref();
  }

  async #check(): Promise<void> {
    try {
      if (!(await this.#tryOpen())) this.#watchHost();
    } catch (error) {
      // Hosting failed here; perhaps another process has more luck, or the next attempt.
      if (!(error instanceof ChainError)) throw error;
      this.#watchHost();
    }
  }
}

async function isOurChain(url: string): Promise<boolean> {
  try {
    const request = { method: 'eth_chainId', params: [] };
    return Number(await postJsonRpc(url, request, PING_TIMEOUT_MS)) === LOCAL_CHAIN_ID;
  } catch {
    return false;
  }
}
