/**
 * Child processes that never outlive the test: each leads a process group that is killed at exit,
 * and (Linux) is killed by the kernel when this process dies in any other way.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How to start a child. */
export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The child is killed and its promises reject after this long. Default 60 s. */
  readonly timeoutMs?: number;
}

/** One line of `--json` output: what happened, and facts about it. */
export interface JsonLine {
  readonly event?: unknown;
  readonly ok?: unknown;
  readonly port?: unknown;
  readonly httpPort?: unknown;
  readonly bytes?: unknown;
  readonly seconds?: unknown;
  readonly [fact: string]: unknown;
}

/** How a child ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
}

/** A running child process. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when the process has ended and its output was read; never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** The last lines of standard output and error together, for messages. */
  output(): string;
  /** Every JSON object printed so far, one per line of standard output. */
  lines(): readonly JsonLine[];
  /** The first line that satisfies `matches`, old or new; rejects when it ends without one. */
  waitForLine(matches: (line: JsonLine) => boolean): Promise<JsonLine>;
  /** Resolves on exit code 0; else throws with the last output. */
  success(): Promise<void>;
  /** Sends `signal` to the whole group, then SIGKILL after `graceMs`; resolves when it is gone. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<ChildEnd>;
}

/** Output kept for messages. Enough for a stack trace. */
const OUTPUT_CHARS_MAX = 16_384;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) killGroup(child, 'SIGKILL');
});

/** Whether `setpriv` can ask the kernel to kill a child with its parent (util-linux ≥ 2.33). */
const hasParentDeathSignal =
  process.platform === 'linux' &&
  spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;

/** Starts `command` with standard input closed and its output read line by line. */
export function startChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Child {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const [file, fullArgs] = hasParentDeathSignal
    ? ['setpriv', ['--pdeathsig', 'KILL', '--', command, ...args]]
    : [command, args];
  const child = spawn(file, fullArgs, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  return new SpawnedChild(child, { title: [command, ...args].join(' '), timeoutMs });
}

/** A spawned process, its output so far and those who wait for more. */
class SpawnedChild implements Child {
  readonly pid: number;
  readonly ended: Promise<ChildEnd>;
  readonly #child: ChildProcess;
  readonly #title: string;
  readonly #timeoutMs: number;
  readonly #lines: JsonLine[] = [];
  readonly #waiters = new Set<() => void>();
  #tail = '';
  #end: ChildEnd | null = null;
  #timedOut = false;

  constructor(child: ChildProcess, options: { title: string; timeoutMs: number }) {
    this.#child = child;
    this.#title = options.title;
    this.#timeoutMs = options.timeoutMs;
    this.pid = child.pid ?? -1;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (text) => this.#takeLine(text));
    }
    this.ended = this.#followToEnd();
  }

  output(): string {
    return this.#tail;
  }

  lines(): readonly JsonLine[] {
    return this.#lines;
  }

  waitForLine(matches: (line: JsonLine) => boolean): Promise<JsonLine> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.#lines.find(matches);
        if (found === undefined && this.#end === null) return;
        this.#waiters.delete(check);
        if (found !== undefined) resolve(found);
        else reject(this.#failure('ended too early'));
      };
      this.#waiters.add(check);
      check();
    });
  }

  async success(): Promise<void> {
    const { code, signal } = await this.ended;
    if (code !== 0) throw this.#failure(`ended with ${signal ?? `code ${code}`}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 10_000): Promise<ChildEnd> {
    killGroup(this.#child, signal);
    const grace = setTimeout(() => killGroup(this.#child, 'SIGKILL'), graceMs);
    const end = await this.ended;
    clearTimeout(grace);
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #followToEnd(): Promise<ChildEnd> {
    const timer = setTimeout(() => {
      this.#timedOut = true;
      killGroup(this.#child, 'SIGKILL');
    }, this.#timeoutMs);
    return new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
        clearTimeout(timer);
        killGroup(this.#child, 'SIGKILL');
        running.delete(this.#child);
        this.#end = { code, signal, timedOut: this.#timedOut };
        resolve(this.#end);
        this.#wake();
      };
      // What it started holds its output open: without this, one survivor would keep us waiting.
      this.#child.once('exit', () => killGroup(this.#child, 'SIGKILL'));
      this.#child.once('close', finish);
      this.#child.once('error', (error) => {
        this.#keep(`${error.message}\n`);
        if (this.#child.pid === undefined) finish(null, null);
      });
    });
  }

  #takeLine(text: string): void {
    this.#keep(`${text}\n`);
    const line = parseJsonLine(text);
    if (line === null) return;
    this.#lines.push(line);
    this.#wake();
  }

  #keep(text: string): void {
    this.#tail = (this.#tail + text).slice(-OUTPUT_CHARS_MAX);
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  #failure(what: string): Error {
    const reason = this.#timedOut ? `took over ${this.#timeoutMs} ms` : what;
    return new Error(`${this.#title}\n${reason}; its last output:\n${this.#tail}`);
  }
}

/** Kills the child and everything it started that stayed in its group. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The whole group has gone already.
  }
}

function parseJsonLine(text: string): JsonLine | null {
  if (!text.startsWith('{')) return null;
  try {
    return JSON.parse(text) as JsonLine;
  } catch {
    return null;
  }
}
