/** One anvil process: started directly, so that signals reach it, and watched until it ends. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ChainError } from '../chain-error.ts';
import { LOCAL_CHAIN_ID, LOCAL_GAS_PRICE } from '../networks.ts';
import { genesisSeconds } from './state-files.ts';

/** A running anvil. */
export interface AnvilProcess {
  readonly pid: number;
  readonly port: number;
  readonly rpcUrl: string;
  /** Resolves when the process has ended, however. */
  readonly ended: Promise<void>;
  /** Ends it at once; its state is worth nothing, ours on the disk is what counts. */
  kill(): void;
}

/** anvil answers within 75 ms here; a loaded machine or a large state takes longer. */
const START_TIMEOUT_MS = 20_000;

/** Starts anvil on a port of the kernel's choice. Throws `CHAIN_LOCAL`. */
export async function startAnvil(folder: string, stateFile: string | null): Promise<AnvilProcess> {
  const child = spawn(findBinary(), [...anvilArguments(folder), ...loadArguments(stateFile)], {
    // Names our folder in the process list: by this a stray one is known as ours.
    argv0: processName(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C in the terminal goes to us; we end it after the last dump.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  try {
    const port = await listeningPort(child, ended);
    const { pid } = child;
    if (pid === undefined) throw new ChainError('CHAIN_LOCAL', 'anvil has no process id');
    // Or it would fill the pipe and stop.
    child.stdout.resume();
    child.stderr.resume();
    const kill = () => void child.kill('SIGKILL');
    return { pid, port, rpcUrl: `http://127.0.0.1:${port}`, ended, kill };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** Whether anvil ended by itself when it was started: it does not take the state it was given. */
export function isStateRefused(error: unknown): boolean {
  return error instanceof ChainError && typeof error.details['exitCode'] === 'number';
}

/** Ends an anvil that an earlier process of ours left behind in this folder; no other process. */
export function killStrayAnvil(pid: number, folder: string): void {
  if (!commandLine(pid).startsWith(processName(folder))) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

/** Whether the process is an anvil of this folder. */
export function isAnvilOf(pid: number, folder: string): boolean {
  return commandLine(pid).startsWith(processName(folder));
}

function processName(folder: string): string {
  return `bidwidth-anvil:${folder}`;
}

/** The process's arguments; empty when there is no such process or it cannot be told. */
function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (process.platform === 'win32') return '';
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

function anvilArguments(folder: string): string[] {
  return [
    '--host=127.0.0.1',
    '--port=0',
    `--chain-id=${LOCAL_CHAIN_ID}`,
    // As on BitTorrent Chain: no base fee, none of the later instructions.
    '--hardfork=berlin',
    `--gas-price=${LOCAL_GAS_PRICE}`,
    '--accounts=0',
    `--timestamp=${genesisSeconds(folder)}`,
    '--no-request-size-limit',
  ];
}

function loadArguments(stateFile: string | null): string[] {
  return stateFile === null ? [] : [`--load-state=${stateFile}`];
}

function findBinary(): string {
  const require = createRequire(import.meta.url);
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${arch}`;
  try {
    // The binary's package is a dependency of anvil's, so it is looked for from there.
    const anvil = createRequire(require.resolve('@foundry-rs/anvil/package.json'));
    const folder = dirname(anvil.resolve(`${name}/package.json`));
    return join(folder, 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil');
  } catch (cause) {
    const text = `no local chain for this system (${name} is not installed): use another network`;
    throw new ChainError('CHAIN_LOCAL', text, { name }, { cause });
  }
}

async function listeningPort(child: ChildProcess, ended: Promise<void>): Promise<number> {
  let output = '';
  const listening = new Promise<number>((resolve) => {
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(output)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), START_TIMEOUT_MS);
  });
  const port = await Promise.race([listening, late, ended.then(() => null)]);
  clearTimeout(timer);
  if (port !== null) return port;
  const reason = output.trim().split('\n').at(-1) ?? '';
  const text = `the local chain (anvil) did not start: ${reason}`;
  throw new ChainError('CHAIN_LOCAL', text, { exitCode: child.exitCode });
}
