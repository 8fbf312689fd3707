/**
 * A stage for tests with money between real processes: a local chain of its own, nodes with play
 * money, a torrent. Whatever was started on it, ends with it.
 */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bidwidthCommand } from '../interop/clients/bidwidth.ts';
import { type Child, type JsonLine, startChild } from '../support/children.ts';
import { makeTempFolder, type TempFolder, writeRandomFile } from '../support/files.ts';
import { type MadeTorrent, makeTorrent } from '../support/make-torrent.ts';

/** The machine may be busy: a process that takes longer hangs. */
export const PROCESS_TIMEOUT_MS = 420_000;

/** Play money that no test uses up, in BTT. */
const PLENTY_BTT = 1_000_000n;

/** One BTT. */
export const BTT: bigint = 10n ** 18n;

/** How a node on the stage is started. */
export interface NodeSetup {
  /** Its data folder below the stage's. */
  readonly name: string;
  /** Options beside those that every node gets. */
  readonly options?: readonly string[];
  /** Options that choose the chain; by default the stage's. */
  readonly chain?: readonly string[];
}

/** How a download on the stage is started. */
export interface DownloadSetup extends NodeSetup {
  readonly peers: readonly number[];
  /** Folder of the copy below the node's; default `got`. */
  readonly to?: string;
}

/** See the head of this file. */
export class Stage implements AsyncDisposable {
  readonly torrent: MadeTorrent;
  readonly #temp: TempFolder;
  readonly #children = new AsyncDisposableStack();

  private constructor(temp: TempFolder, torrent: MadeTorrent) {
    this.#temp = temp;
    this.torrent = torrent;
  }

  /** A stage with a torrent of one random file. */
  static async open(label: string, lengthBytes: number, pieceLengthBytes = 65_536): Promise<Stage> {
    const temp = await makeTempFolder(label);
    const contentPath = join(temp.path, 'source', 'content.bin');
    await writeRandomFile(contentPath, lengthBytes);
    const torrentPath = join(temp.path, 'content.torrent');
    return new Stage(temp, await makeTorrent({ contentPath, torrentPath, pieceLengthBytes }));
  }

  get folder(): string {
    return this.#temp.path;
  }

  get chainFolder(): string {
    return join(this.folder, 'chain');
  }

  /** The data folder of a node. */
  home(name: string): string {
    return join(this.folder, name);
  }

  /** Where a download puts the file. */
  copy(name: string, to = 'got'): string {
    return join(this.home(name), to, this.torrent.name);
  }

  /** The options that choose this stage's chain. */
  get chainOptions(): readonly string[] {
    return ['--chain-dir', this.chainFolder];
  }

  /** Starts a command with `--json`; it ends with the stage at the latest. */
  start(args: readonly string[]): Child {
    const [command, ...rest] = bidwidthCommand([...args, '--json']);
    const options = { timeoutMs: PROCESS_TIMEOUT_MS };
    return this.#children.use(startChild(command, rest, options));
  }

  /** Runs a command to its end and returns its summary. */
  async run(args: readonly string[]): Promise<JsonLine> {
    const child = this.start(args);
    await child.success();
    return child.lines().at(-1) ?? {};
  }

  /** Runs `wallet …` of a node. */
  wallet(name: string, command: readonly string[]): Promise<JsonLine> {
    const home = ['--data-dir', this.home(name)];
    return this.run(['wallet', ...command, ...home, ...this.chainOptions]);
  }

  /** Runs `chain …`. */
  chain(command: readonly string[]): Promise<JsonLine> {
    const home = ['--data-dir', this.home('chain-user')];
    return this.run(['chain', ...command, ...home, ...this.chainOptions]);
  }

  /** The chain's own process, as somebody who types it starts it. */
  startChain(): Child {
    const home = ['--data-dir', this.home('chain-host')];
    return this.start(['chain', 'start', ...home, ...this.chainOptions]);
  }

  /** Starts the chain and waits until it answers; gives each named node plenty of play money. */
  async openChain(...names: readonly string[]): Promise<Child> {
    const chain = this.startChain();
    await chain.waitForLine((line) => line.event === 'listening');
    for (const name of names) await this.fund(name, PLENTY_BTT);
    return chain;
  }

  /** Play money for a node; its address. */
  async fund(name: string, btt: bigint): Promise<string> {
    const home = ['--data-dir', this.home(name)];
    const grant = ['chain', 'faucet', `${btt}`, ...home, ...this.chainOptions];
    return String((await this.run(grant))['to']);
  }

  /** Starts a seed of the stage's torrent. */
  seed({ name, options = [], chain = this.chainOptions }: NodeSetup): Child {
    const from = ['--from', join(this.folder, 'source')];
    const node = ['--data-dir', this.home(name), ...networkOptions(options), ...chain];
    return this.start(['seed', this.torrent.torrentPath, ...from, ...node, ...options]);
  }

  /** Starts a download of the stage's torrent. */
  async download(setup: DownloadSetup): Promise<Child> {
    const { name, peers, to = 'got', options = [], chain = this.chainOptions } = setup;
    const folder = join(this.home(name), to);
    await mkdir(folder, { recursive: true });
    const known = peers.flatMap((port) => ['--peer', `127.0.0.1:${port}`]);
    const node = ['--data-dir', this.home(name), ...networkOptions(options), ...chain];
    const target = ['--to', folder, ...known];
    return this.start(['download', this.torrent.torrentPath, ...target, ...node, ...options]);
  }

  /** The anvil processes of this stage, those included whose host was killed. */
  anvilPids(): readonly number[] {
    return anvilPidsOf(this.chainFolder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#children.disposeAsync();
    for (const pid of this.anvilPids()) killQuietly(pid);
    await this.#temp.dispose();
  }
}

/** Where a node listens. */
export async function portOf(node: Child): Promise<number> {
  return Number((await node.waitForLine((line) => line.event === 'listening')).port);
}

/** `kill -9` of one process, that may have ended already. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

/** Any port, loopback only, no trackers: unless `options` say otherwise. */
function networkOptions(options: readonly string[]): readonly string[] {
  const port = options.includes('--port') ? [] : ['--port', '0'];
  return [...port, '--bind', '127.0.0.1', '--no-trackers', '--no-dht', '--no-lsd', '--no-pex'];
}

/** By the name that the host gives its anvil, so no process of another folder is ever meant. */
function anvilPidsOf(chainFolder: string): readonly number[] {
  try {
    const name = `bidwidth-anvil:${realpathSync(chainFolder)}`;
    const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
    return pids.filter((pid) => argumentsOf(pid)[0] === name).map(Number);
  } catch {
    return [];
  }
}

function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
