/** The command line as a process of its own, the way a user starts it. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { bidwidthCommand } from '../interop/clients/bidwidth.ts';
import { type Child, type JsonLine, startChild } from '../support/children.ts';
import { makeTempFolder, type TempFolder } from '../support/files.ts';

/** A folder to work in, with a home of its own so that no test sees another's records. */
export interface Desk extends AsyncDisposable {
  /** A path inside. */
  at(...parts: string[]): string;
  /** Runs a command to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Starts a command and leaves it running; `under` is put before it. */
  start(args: readonly string[], home?: string, under?: readonly string[]): Child;
}

/** How a run differs from the usual. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Put before the command: `sh -c '…' sh`. */
  readonly under?: readonly string[];
  /** Which of the desk's homes; nodes with different ones know nothing of each other. */
  readonly home?: string;
}

/** What a finished command left. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of standard output that are JSON objects. */
  readonly json: readonly JsonLine[];
  /** The last of them. */
  readonly summary: JsonLine;
}

/** Makes a desk; everything it started ends with it. */
export async function makeDesk(label: string): Promise<Desk> {
  const folder: TempFolder = await makeTempFolder(`cli-${label}`);
  const children: Child[] = [];
  const at = (...parts: string[]): string => join(folder.path, ...parts);
  const environment = (home: string): Record<string, string> => ({
    HOME: at(home),
    BIDWIDTH_HOME: at(home, 'node'),
    XDG_CACHE_HOME: at('cache'),
    XDG_DATA_HOME: at('data'),
  });
  return {
    at,
    run: (args, options = {}) =>
      finish([...(options.under ?? []), ...bidwidthCommand(amongUs(args))], {
        env: { ...environment(options.home ?? 'home'), ...options.env },
        stdin: options.stdin ?? '',
      }),
    start: (args, home = 'home', under = []) => {
      const env = environment(home);
      const whole = [...under, ...bidwidthCommand(amongUs(args))];
      const [command = '', ...rest] = whole;
      const child = startChild(command, rest, { env, timeoutMs: 60_000 });
      children.push(child);
      return child;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(children.map((child) => child.stop()));
      await folder.dispose();
    },
  };
}

/** Nodes of tests look for nobody outside; `--dht-node` names a DHT of the test's own. */
function amongUs(args: readonly string[]): readonly string[] {
  const isNode = ['download', 'seed', 'stream'].includes(args[0] ?? '');
  return isNode && !args.includes('--dht-node')
    ? [...args, '--no-dht', '--no-lsd', '--no-nat']
    : args;
}

/** The port a node says it listens on. */
export async function portOf(child: Child): Promise<number> {
  return Number((await child.waitForLine((line) => line['event'] === 'listening'))['port']);
}

/** A port of 127.0.0.1 that is taken until disposed of. */
export async function takePort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { port, [Symbol.asyncDispose]: close };
}

const RUN_TIMEOUT_MS = 30_000;

function finish(
  [command = '', ...args]: readonly string[],
  { env, stdin }: { readonly env: Readonly<Record<string, string>>; readonly stdin: string },
): Promise<Finished> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    timeout: RUN_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
      const json = lines.map((line) => JSON.parse(line) as JsonLine);
      resolve({ code, stdout, stderr, json, summary: json.at(-1) ?? {} });
    });
  });
}
