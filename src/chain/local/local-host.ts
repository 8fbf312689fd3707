/** Hosts the embedded chain of a folder: keeps anvil running and its state on the disk. */
import { gunzipSync } from 'node:zlib';
import { assert, fromHex } from '../../units/index.ts';
import { ChainError } from '../chain-error.ts';
import { postJsonRpc } from '../rpc-transport.ts';
import {
  type AnvilProcess,
  isAnvilOf,
  isStateRefused,
  killStrayAnvil,
  startAnvil,
} from './anvil-process.ts';
import { deployLocalEscrow } from './deploy-local-escrow.ts';
import {
  type HostLock,
  type HostRecord,
  readHostRecord,
  retireHostRecord,
  writeHostRecord,
} from './host-record.ts';
import { type LocalProxy, startLocalProxy } from './local-proxy.ts';
import { StateFiles } from './state-files.ts';

/**
 * A crashing anvil is started again this often in a row before we give up: some seconds. Giving up
 * leaves every node of the machine without a chain, so one that is killed now and then is not given
 * up.
 */
const RESTARTS_MAX = 30;
/** Alive for so long, it counts as recovered. */
const RESTART_RESET_MS = 5_000;
/** Starts in a row that may fail before one succeeds. */
const START_ATTEMPTS_MAX = 5;
const CALL_TIMEOUT_MS = 60_000;

/** The process that owns anvil. Exactly one per folder, guarded by the lock it is given. */
export class LocalHost {
  readonly #folder: string;
  readonly #lock: HostLock;
  readonly #files: StateFiles;
  #anvil: Promise<AnvilProcess>;
  #proxy: LocalProxy | null = null;
  #dump: Promise<void> = Promise.resolve();
  #nextDump: Promise<void> | null = null;
  #isStopping = false;
  #restarts = 0;

  private constructor(folder: string, lock: HostLock) {
    this.#folder = folder;
    this.#lock = lock;
    this.#files = new StateFiles(folder);
    this.#anvil = this.#start();
  }

  /** Starts hosting. Throws `CHAIN_LOCAL`; the lock is then free again. */
  static async open(folder: string, lock: HostLock): Promise<LocalHost> {
    const before = readHostRecord(folder);
    try {
      if (before) await rescueStray(before, folder);
      const host = new LocalHost(folder, lock);
      try {
        await host.#anvil;
        await deployLocalEscrow((method, params) => host.#ask(method, params));
        await host.durable();
        const backend = { anvilUrl: () => host.#anvilUrl(), durable: () => host.durable() };
        host.#proxy = await startLocalProxy(backend, before?.rpcPort ?? 0);
        host.#writeRecord(await host.#anvil);
        return host;
      } catch (error) {
        await host.#kill();
        throw error;
      }
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Where programs of this machine reach the chain. The same over restarts when the port is free.
   */
  get rpcUrl(): string {
    assert(this.#proxy, 'a host is returned with its proxy');
    return `http://127.0.0.1:${this.#proxy.port}`;
  }

  /** The process id of anvil now. For tests that kill it. */
  async anvilPid(): Promise<number> {
    return (await this.#anvil).pid;
  }

  /** Resolves when everything done so far is on the disk. Calls meanwhile share the next dump. */
  durable(): Promise<void> {
    if (this.#nextDump) return this.#nextDump;
    const next = this.#dump.then(() => {
      this.#nextDump = null;
      return this.#dumpNow();
    });
    this.#nextDump = next;
    this.#dump = next.catch(() => undefined);
    return next;
  }

  /** Writes the state, ends anvil and lets others host. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    await this.#proxy?.close();
    await this.durable().catch(() => undefined);
    const record = readHostRecord(this.#folder);
    await this.#kill();
    if (record) retireHostRecord(this.#folder, record);
    this.#lock.release();
  }

  async #anvilUrl(): Promise<string> {
    return (await this.#anvil).rpcUrl;
  }

  async #ask(method: string, params: readonly unknown[]): Promise<unknown> {
    return postJsonRpc(await this.#anvilUrl(), { method, params }, CALL_TIMEOUT_MS);
  }

  async #dumpNow(): Promise<void> {
    await this.#files.write(unpackState(await this.#ask('anvil_dumpState', [])));
  }

  async #kill(): Promise<void> {
    this.#isStopping = true;
    const anvil = await this.#anvil.catch(() => null);
    anvil?.kill();
    await anvil?.ended;
  }

  async #start(): Promise<AnvilProcess> {
    const generations = this.#files.newestFirst();
    const states = generations.length > 0 ? generations : [null];
    for (let at = 0, attempt = 1; ; attempt++) {
      try {
        return await this.#startFrom(states[at] ?? null);
      } catch (error) {
        // A generation that anvil does not take is damaged: the one before it is the next best. But
        // an
        // anvil that was killed while it started says nothing about its state: again with the same.
        if (isStateRefused(error)) at++;
        if (at >= states.length || attempt >= START_ATTEMPTS_MAX || this.#isStopping) throw error;
      }
    }
  }

  async #startFrom(stateFile: string | null): Promise<AnvilProcess> {
    const anvil = await startAnvil(this.#folder, stateFile);
    try {
      await catchUpClock(anvil.rpcUrl);
    } catch (error) {
      anvil.kill();
      throw error;
    }
    const bornAtMs = performance.now();
    void anvil.ended.then(() => {
      if (performance.now() - bornAtMs > RESTART_RESET_MS) this.#restarts = 0;
      this.#onEnded();
    });
    return anvil;
  }

  #onEnded(): void {
    if (this.#isStopping) return;
    if (++this.#restarts > RESTARTS_MAX) {
      const text =
        'the local chain (anvil) keeps crashing: restart bidwidth, or use another network';
      this.#anvil = Promise.reject(new ChainError('CHAIN_LOCAL', text));
    } else {
      this.#anvil = this.#start();
    }
    this.#anvil.then(
      (anvil) => this.#writeRecord(anvil),
      // Whoever asks next gets the reason.
      () => undefined,
    );
  }

  #writeRecord(anvil: AnvilProcess): void {
    if (!this.#proxy) return;
    writeHostRecord(this.#folder, {
      rpcUrl: this.rpcUrl,
      rpcPort: this.#proxy.port,
      hostPid: process.pid,
      anvilPid: anvil.pid,
      anvilPort: anvil.port,
    });
  }
}

/** An anvil outlived its host: takes over what it has done since the last dump, then ends it. */
async function rescueStray(record: HostRecord, folder: string): Promise<void> {
  if (record.anvilPid === 0 || !isAnvilOf(record.anvilPid, folder)) return;
  const url = `http://127.0.0.1:${record.anvilPort}`;
  try {
    const request = { method: 'anvil_dumpState', params: [] };
    const dump = await postJsonRpc(url, request, CALL_TIMEOUT_MS);
    await new StateFiles(folder).write(unpackState(dump));
  } catch {
    // It hangs: everything that was acknowledged is on the disk already.
  }
  killStrayAnvil(record.anvilPid, folder);
}

/**
 * anvil begins at the time of its genesis: it is set to ours, or to its last block's if that is
 * later.
 */
async function catchUpClock(url: string): Promise<void> {
  const request = { method: 'eth_getBlockByNumber', params: ['latest', false] };
  const block = await postJsonRpc(url, request, CALL_TIMEOUT_MS);
  const isBlock = typeof block === 'object' && block !== null && 'timestamp' in block;
  const now = Math.floor(Date.now() / 1_000);
  const time = Math.max(now, isBlock ? Number(block.timestamp) : 0);
  await postJsonRpc(url, { method: 'evm_setTime', params: [time] }, CALL_TIMEOUT_MS);
}

function unpackState(dump: unknown): Uint8Array {
  if (typeof dump !== 'string') throw new ChainError('CHAIN_LOCAL', 'anvil gave no state');
  const packed = fromHex(dump);
  // Gzipped JSON; anvil takes only the plain JSON back.
  return packed[0] === 0x1f && packed[1] === 0x8b ? gunzipSync(packed) : packed;
}
