/** All uTP connections of one UDP socket: finds whom a datagram is for, dials, lets in. */
import {
  decodeUtp,
  encodeUtp,
  sequenceAdd,
  UTP_HEADER_BYTES,
  type UtpPacket,
} from '../../wire/index.ts';
import type { Connection, ConnectionEvents, Dialer } from '../ports.ts';
import { UtpConnection } from './utp-connection.ts';
import type { UtpIdentity, UtpLink } from './utp-link.ts';

/** Connections at most, closing ones included. */
const CONNECTIONS_MAX = 1000;
/** Of them, so many that were let in and have not sent data: their address may be forged. */
const UNPROVEN_MAX = 100;
/** Answers per tick to packets for connections that are not there: no more than were asked. */
const RESETS_PER_TICK = 20;
/** Memory of packets is cut from pieces of this size. */
const MEMORY_BYTES = 64 * 1024;

/** What a host needs from outside. */
export interface UtpDeps {
  /** Sends a datagram. Lends `bytes`, which may be changed and sent again later. */
  send(bytes: Uint8Array, host: string, port: number): void;
  /** A clock in microseconds. */
  nowUs(): number;
  /** 0 to 65535, which nobody can guess. */
  randomNumber(): number;
  /** `settle` is to be called soon, when the datagrams at hand are read. Called once until then. */
  wake(): void;
  /** Somebody connected to us. */
  accept(connection: Connection): ConnectionEvents;
}

/** The uTP side of a socket. `tick` is called about twenty times a second. */
export class UtpHost implements Dialer {
  readonly #deps: UtpDeps;
  readonly #connections = new Map<string, UtpConnection>();
  #dirty = new Set<UtpConnection>();
  #actions: (() => void)[] = [];
  #isAwake = false;
  /** Let in, and nothing came since; the oldest first. */
  readonly #unproven = new Set<UtpConnection>();
  #resetsLeft = RESETS_PER_TICK;
  #memory = new Uint8Array(0);
  #isClosed = false;

  constructor(deps: UtpDeps) {
    this.#deps = deps;
  }

  /** Connections, closing ones included: while there are none, `tick` has nothing to do. */
  get size(): number {
    return this.#connections.size;
  }

  /** Dials. `host` is an address, not a name. */
  connect(host: string, port: number, events: ConnectionEvents): Connection {
    let receiveId = this.#deps.randomNumber();
    while (this.#connections.has(keyOf(host, port, receiveId))) {
      receiveId = sequenceAdd(receiveId, 1);
    }
    const connection = this.#add({
      host,
      port,
      isOutbound: true,
      receiveId,
      sendId: sequenceAdd(receiveId, 1),
      firstSequence: this.#deps.randomNumber(),
    });
    connection.dial(events);
    if (this.#isClosed) connection.abandon('we are shutting down');
    return connection;
  }

  /** A datagram came. Borrows it, and may change it. */
  onDatagram(bytes: Uint8Array, host: string, port: number): void {
    const packet = decodeUtp(bytes);
    if (!packet || this.#isClosed) return;
    const connection = this.#find(packet, host, port);
    if (connection) {
      connection.onPacket(packet);
      if (connection.isProven) this.#unproven.delete(connection);
    } else if (packet.type === 'syn') this.#greet(packet, host, port);
    else if (packet.type !== 'reset') this.#refuse(packet, host, port);
  }

  /** The datagrams at hand are read: sends what is due, tells what happened. */
  settle(): void {
    this.#isAwake = false;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const connection of dirty) connection.settle();
    for (const action of this.#actions.splice(0)) action();
  }

  /** Time passes. */
  tick(): void {
    this.#resetsLeft = RESETS_PER_TICK;
    for (const connection of [...this.#connections.values()]) connection.tick();
  }

  /** Breaks every connection, and takes no more. */
  close(reason: string): void {
    this.settle();
    this.#isClosed = true;
    for (const connection of [...this.#connections.values()]) connection.abandon(reason);
    this.settle();
  }

  #find(packet: UtpPacket, host: string, port: number): UtpConnection | null {
    const id = packet.connectionId;
    // A request carries the id that we are to send on; we receive on the next.
    const receiveId = packet.type === 'syn' ? sequenceAdd(id, 1) : id;
    const found = this.#connections.get(keyOf(host, port, receiveId));
    if (found || packet.type !== 'reset') return found ?? null;
    // Who knows nothing of a connection can only name it by what we sent.
    for (const step of [-1, 1]) {
      const other = this.#connections.get(keyOf(host, port, sequenceAdd(id, step)));
      if (other?.identity.sendId === id) return other;
    }
    return null;
  }

  #greet(request: UtpPacket, host: string, port: number): void {
    if (this.#unproven.size >= UNPROVEN_MAX) {
      const [oldest] = this.#unproven;
      oldest?.abandon('others wait for its place');
    }
    if (this.#connections.size >= CONNECTIONS_MAX) return;
    const connection = this.#add({
      host,
      port,
      isOutbound: false,
      receiveId: sequenceAdd(request.connectionId, 1),
      sendId: request.connectionId,
      firstSequence: this.#deps.randomNumber(),
    });
    this.#unproven.add(connection);
    connection.greet(request);
  }

  #refuse(packet: UtpPacket, host: string, port: number): void {
    if (this.#resetsLeft === 0) return;
    this.#resetsLeft--;
    const header = {
      type: 'reset',
      connectionId: packet.connectionId,
      timestamp: this.#deps.nowUs() >>> 0,
      delay: 0,
      windowBytes: 0,
      sequence: 0,
      acknowledged: packet.sequence,
    } as const;
    this.#deps.send(encodeUtp(header, null), host, port);
  }

  #add(identity: UtpIdentity): UtpConnection {
    const { host, port, receiveId } = identity;
    const key = keyOf(host, port, receiveId);
    const link: UtpLink = {
      nowUs: () => this.#deps.nowUs(),
      randomNumber: () => this.#deps.randomNumber(),
      memory: (size) => this.#cut(size),
      send: (bytes) => this.#deps.send(bytes, host, port),
      wake: () => {
        this.#dirty.add(connection);
        this.#wake();
      },
      later: (action) => {
        this.#actions.push(action);
        this.#wake();
      },
      accept: (accepted) => this.#deps.accept(accepted),
      forget: () => {
        this.#unproven.delete(connection);
        this.#connections.delete(key);
      },
    };
    const connection = new UtpConnection(link, identity);
    this.#connections.set(key, connection);
    return connection;
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#deps.wake();
  }

  #cut(size: number): Uint8Array {
    if (this.#memory.length < Math.max(size, UTP_HEADER_BYTES)) {
      this.#memory = new Uint8Array(MEMORY_BYTES);
    }
    const cut = this.#memory.subarray(0, size);
    this.#memory = this.#memory.subarray(size);
    return cut;
  }
}

function keyOf(host: string, port: number, receiveId: number): string {
  return `${host} ${port} ${receiveId}`;
}
