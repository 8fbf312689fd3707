/** Connections from and to addresses of the user's filter list are not made, or ended. */
import fs from 'node:fs';
import { type IpFilter, parseIpList } from '../../discovery/index.ts';
import type { Connection, ConnectionEvents, Dialer } from '../../engine/index.ts';
import { PlatformError } from '../platform-error.ts';
import { DEAF } from './deaf.ts';

/** How often the list's file is looked at. */
const LOOK_MS = 2_000;

const REASON = 'its address is on the filter list';

/** Stands in for `Dialer` and acceptor while a list is in force. */
export class IpGate {
  #filter: IpFilter;
  readonly #connections = new Set<Connection>();

  constructor(filter: IpFilter) {
    this.#filter = filter;
  }

  /** Another list from now on; connections it names are closed. */
  replace(filter: IpFilter): void {
    this.#filter = filter;
    for (const connection of [...this.#connections]) {
      if (filter.isBlocked(connection.remoteHost)) connection.close(REASON);
    }
  }

  /** A dialer that refuses what the list names. Names are looked at once they are addresses. */
  dialer(inner: Dialer): Dialer {
    return {
      connect: (host, port, events) => {
        if (this.#filter.isBlocked(host)) return refusedConnection({ host, port, events });
        const watched = this.#watch(events);
        const connection = inner.connect(host, port, watched.events);
        watched.bind(connection);
        return connection;
      },
    };
  }

  /** An acceptor that ends what the list names before it is heard. */
  acceptor(
    inner: (connection: Connection) => ConnectionEvents,
  ): (connection: Connection) => ConnectionEvents {
    return (connection) => {
      if (this.#filter.isBlocked(connection.remoteHost)) {
        queueMicrotask(() => connection.close(REASON));
        return DEAF;
      }
      const watched = this.#watch(inner(connection));
      watched.bind(connection);
      return watched.events;
    };
  }

  /** Remembers a connection until it closes. */
  #watch(events: ConnectionEvents): {
    readonly events: ConnectionEvents;
    bind(connection: Connection): void;
  } {
    let bound: Connection | null = null;
    return {
      bind: (connection) => {
        bound = connection;
        this.#connections.add(connection);
      },
      events: {
        onOpen: () => events.onOpen(),
        onBytes: (view) => events.onBytes(view),
        onDrain: () => events.onDrain(),
        onClosed: (reason) => {
          if (bound) this.#connections.delete(bound);
          events.onClosed(reason);
        },
      },
    };
  }
}

/** A connection that was never made; says so as soon as the caller is ready to hear it. */
function refusedConnection(target: {
  readonly host: string;
  readonly port: number;
  readonly events: ConnectionEvents;
}): Connection {
  const { host, port, events } = target;
  let isClosed = false;
  const close = (reason: string): void => {
    if (isClosed) return;
    isClosed = true;
    events.onClosed(reason);
  };
  setImmediate(close, REASON);
  return {
    remoteHost: host,
    remotePort: port,
    isOutbound: true,
    queuedBytes: 0,
    write: (_parts, done) => done?.(),
    pauseReading: () => {},
    resumeReading: () => {},
    close,
  };
}

/** Reads a list's file. @throws PlatformError PLATFORM_IP_LIST */
export function readIpList(path: string): IpFilter {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    throw listFailure(path, `cannot be read: ${why}`);
  }
  const { filter, badLines } = parseIpList(text);
  if (badLines.length > 0 && filter.size === 0) {
    throw listFailure(path, `has nothing that could be read, line ${badLines[0]} to begin with`);
  }
  return filter;
}

/** Calls back with every later version of the file that can be read. Returns how to stop. */
export function watchIpList(path: string, onChange: (filter: IpFilter) => void): () => void {
  const look = (): void => {
    try {
      onChange(readIpList(path));
    } catch (failure) {
      // A list that is being written, or is gone, leaves the last good one in force.
      if (!(failure instanceof PlatformError)) throw failure;
    }
  };
  fs.watchFile(path, { interval: LOOK_MS, persistent: false }, look);
  return () => fs.unwatchFile(path, look);
}

function listFailure(path: string, what: string): PlatformError {
  const text = `the filter list ${path} ${what}`;
  return new PlatformError('PLATFORM_IP_LIST', text, { path });
}
