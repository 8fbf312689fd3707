/** A connection that has to be prepared before there is one: a name looked up, a proxy asked. */
import type { Connection, ConnectionEvents } from '../../engine/index.ts';

/** To whom it will lead. */
export interface Remote {
  readonly host: string;
  readonly port: number;
}

/**
 * Until `found` or `fail` is called there is nothing to write to or read from. `cancel` is called
 * when it is closed before that.
 */
export class PendingConnection implements Connection {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly isOutbound = true;
  readonly #events: ConnectionEvents;
  readonly #cancel: () => void;
  #found: Connection | null = null;
  #isClosed = false;

  constructor(remote: Remote, events: ConnectionEvents, cancel: () => void) {
    this.remoteHost = remote.host;
    this.remotePort = remote.port;
    this.#events = events;
    this.#cancel = cancel;
  }

  /** Nobody waits for it any more: what was prepared is to be given up. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** There is a connection, and events come from it. */
  found(connection: Connection): void {
    this.#found = connection;
  }

  /** There will be none. */
  fail(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    setImmediate(() => this.#events.onClosed(reason));
  }

  get isUtp(): boolean {
    return this.#found?.isUtp ?? false;
  }

  get queuedBytes(): number {
    return this.#found?.queuedBytes ?? 0;
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    if (this.#found) this.#found.write(parts, done);
    else done?.();
  }

  pauseReading(): void {
    this.#found?.pauseReading();
  }

  resumeReading(): void {
    this.#found?.resumeReading();
  }

  close(reason: string): void {
    if (this.#found) this.#found.close(reason);
    else if (!this.#isClosed) {
      this.fail(reason);
      this.#cancel();
    }
  }
}
