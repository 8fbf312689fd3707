/** One `bidwidth` process of the demo: its JSON lines, its summary, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A line of `--json` output. */
export type Fact = Readonly<Record<string, unknown>>;

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'bidwidth.js');

/** A process that does not stop when asked is killed after this. */
const STOP_MS = 15_000;

/** A running command. Every one that was started is stopped with the demo, whatever happens. */
export class Actor {
  static readonly running: Set<Actor> = new Set();
  readonly name: string;
  /** The newest line of every event, by name. */
  readonly latest: Map<string, Fact> = new Map();
  /** The last line: the summary once the process has ended. */
  last: Fact = {};
  errorText = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(name: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(process.execPath, [PROGRAM, ...args, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    Actor.running.add(this);
    this.#ended = once(this.#child, 'close').then(([code]) => {
      Actor.running.delete(this);
      this.#wake.resolve();
      return code as number | null;
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.errorText = `${this.errorText}${chunk}`.slice(-2000);
    });
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#read(line));
    }
  }

  /** Waits for an event; throws when the process ends first. */
  async event(name: string): Promise<Fact> {
    for (;;) {
      const fact = this.latest.get(name);
      if (fact) return fact;
      if (!Actor.running.has(this)) throw this.#failure(`ended before it said '${name}'`);
      await this.#wake.promise;
    }
  }

  /** Waits until the process ends by itself; throws when it failed. Returns its summary. */
  async summary(): Promise<Fact> {
    const code = await this.#ended;
    if (code !== 0) throw this.#failure(`ended with code ${code}`);
    return this.last;
  }

  /** Ends it as Ctrl-C does and returns its summary. */
  async stop(): Promise<Fact> {
    this.#child.kill('SIGINT');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(timer);
    return this.last;
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #read(line: string): void {
    this.last = JSON.parse(line) as Fact;
    const name = this.last['event'];
    if (typeof name === 'string') this.latest.set(name, this.last);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  #failure(what: string): Error {
    const said = this.errorText.trim() || JSON.stringify(this.last);
    return new Error(`${this.name} ${what}: ${said}`);
  }
}

/** Runs a command to its end and returns its summary. */
export function run(name: string, args: readonly string[]): Promise<Fact> {
  return new Actor(name, args).summary();
}
