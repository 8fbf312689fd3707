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
  /** The first line that satisfies `matches`, printed already or later; rejects when it ends without. */
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
  return follow(child, { title: [command, ...args].join(' '), timeoutMs });
}

/** Wires a spawned process to the promises of `Child`. */
function follow(
  child: ChildProcess,
  { title, timeoutMs }: { title: string; timeoutMs: number },
): Child {
  const lines: JsonLine[] = [];
  const waiters = new Set<() => void>();
  let tail = '';
  let end: ChildEnd | null = null;
  let timedOut = false;
  const keep = (text: string): void => {
    tail = (tail + text).slice(-OUTPUT_CHARS_MAX);
  };
  const notify = (): void => {
    for (const waiter of [...waiters]) waiter();
  };
  child.stderr?.setEncoding('utf8').on('data', keep);
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (text) => {
      keep(`${text}\n`);
      const line = parseJsonLine(text);
      if (line === null) return;
      lines.push(line);
      notify();
    });
  }
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child, 'SIGKILL');
  }, timeoutMs);
  const ended = new Promise<ChildEnd>((resolve) => {
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      killGroup(child, 'SIGKILL');
      running.delete(child);
      end = { code, signal, timedOut };
      resolve(end);
      notify();
    };
    child.once('close', finish);
    child.once('error', (error) => {
      keep(`${error.message}\n`);
      if (child.pid === undefined) finish(null, null);
    });
  });
  const failure = (what: string): Error =>
    new Error(`${title}\n${what}; its last output:\n${tail}`);
  const waitForLine = (matches: (line: JsonLine) => boolean): Promise<JsonLine> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = lines.find(matches);
        if (found === undefined && end === null) return;
        waiters.delete(check);
        if (found !== undefined) resolve(found);
        else reject(failure(timedOut ? `took over ${timeoutMs} ms` : 'ended too early'));
      };
      waiters.add(check);
      check();
    });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM', graceMs = 3_000): Promise<ChildEnd> => {
    killGroup(child, signal);
    const grace = setTimeout(() => killGroup(child, 'SIGKILL'), graceMs);
    const result = await ended;
    clearTimeout(grace);
    return result;
  };
  return {
    pid: child.pid ?? -1,
    ended,
    output: () => tail,
    lines: () => lines,
    waitForLine,
    success: async () => {
      const { code, signal } = await ended;
      if (timedOut) throw failure(`took over ${timeoutMs} ms`);
      if (code !== 0) throw failure(`ended with ${signal ?? `code ${code}`}`);
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
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
