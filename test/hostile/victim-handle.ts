/** The test's side of a victim process. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { TorrentNews } from '../../src/daemon/transfer/index.ts';
import type { TorrentSpec, VictimAnswer, VictimCall } from './victim.ts';

type Memory = Extract<VictimAnswer, { readonly answer: 'memory' }>;

/** A running victim. */
export class Victim {
  readonly port: number;
  readonly news: TorrentNews[] = [];
  readonly #process: ChildProcess;
  #onNews: (() => void) | null = null;
  #onMemory: ((memory: Memory) => void) | null = null;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
    child.on('message', (message: VictimAnswer) => {
      if (message.answer === 'news') {
        this.news.push(message.news);
        this.#onNews?.();
      } else if (message.answer === 'memory') this.#onMemory?.(message);
    });
  }

  /** Starts a process; resolves when its port is open. */
  static start(): Promise<Victim> {
    const child = fork(join(import.meta.dirname, 'victim.ts'), { serialization: 'advanced' });
    return new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the victim ended with code ${code}`)));
      child.once('message', (message: VictimAnswer) => {
        if (message.answer === 'ready') resolve(new Victim(child, message.port));
      });
    });
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  add(spec: TorrentSpec): void {
    this.#ask({ ask: 'add', spec });
  }

  memory(): Promise<Memory> {
    this.#ask({ ask: 'memory' });
    return new Promise((resolve) => {
      this.#onMemory = resolve;
    });
  }

  /** Resolves when the victim has told such news; rejects when its torrent failed. */
  async until(kind: TorrentNews['kind']): Promise<void> {
    while (!this.news.some((news) => news.kind === kind)) {
      const failure = this.news.find((news) => news.kind === 'failed');
      if (failure) throw new Error(JSON.stringify(failure));
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
    }
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }

  #ask(call: VictimCall): void {
    this.#process.send(call);
  }
}
