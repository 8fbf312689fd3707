/** uTP is dialled by addresses: names are looked up before. */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Connection, ConnectionEvents, Dialer } from '../../engine/index.ts';

/** Lets `dialer` be given names, too. */
export function namedDialer(dialer: Dialer): Dialer {
  return {
    connect: (host, port, events) =>
      isIP(host) > 0
        ? dialer.connect(host, port, events)
        : new NamedConnection({ host, port, dialer }, events),
  };
}

/** A connection to a name. Until that is looked up there is nothing to write to or read from. */
class NamedConnection implements Connection {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly isOutbound = true;
  #found: Connection | null = null;
  #isClosed = false;
  readonly #events: ConnectionEvents;

  constructor(
    target: { readonly host: string; readonly port: number; readonly dialer: Dialer },
    events: ConnectionEvents,
  ) {
    const { host, port, dialer } = target;
    this.remoteHost = host;
    this.remotePort = port;
    this.#events = events;
    lookup(host, (failure, address) => {
      if (this.#isClosed) return;
      if (failure) this.close('the host name does not exist');
      else this.#found = dialer.connect(address, port, events);
    });
  }

  get queuedBytes(): number {
    return this.#found?.queuedBytes ?? 0;
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    this.#found?.write(parts, done);
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
      this.#isClosed = true;
      setImmediate(() => this.#events.onClosed(reason));
    }
  }
}
