/** Hosts, and the paths between them: slow, jittery, cut in two for a while, broken at any byte. */
import type { Connection, ConnectionEvents, Dialer, PeerAddress } from '../engine/index.ts';
import type { Random } from '../units/index.ts';
import { Trace } from './trace.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { ConnectionEnd, type Path } from './virtual-connection.ts';

/** Who is asked when somebody connects. */
export type Acceptor = (connection: Connection) => ConnectionEvents;

/** The properties of every path. */
export interface PathOptions {
  /** One way. */
  readonly latencyMs: number;
  /** Each chunk is late by up to so much more; they stay in order. */
  readonly jitterMs: number;
  /** Of one connection, each way. */
  readonly bytesPerSecond: number;
  /** A connection breaks after so many bytes one way, on average; Infinity for never. */
  readonly lifetimeBytes: number;
}

/** A dial through a partition gives up after so long. */
const DIAL_TIMEOUT_MS = 20_000;

/** All hosts and the paths between them. */
export class VirtualNetwork {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly trace: Trace = new Trace();
  readonly #path: PathOptions;
  readonly #acceptors = new Map<string, Acceptor>();
  readonly #ends = new Set<ConnectionEnd>();
  /** Hosts behind routers that let nobody in. */
  readonly #hidden = new Set<string>();
  readonly #uplinks = new Map<string, number>();
  readonly #uplinkFreeAt = new Map<string, number>();
  /** Hosts inside a set cannot reach those outside. */
  readonly #partitions = new Set<ReadonlySet<string>>();
  readonly #dials = new Map<string, number>();
  #nextPort = 40_000;

  constructor(clock: VirtualClock, random: Random, path: Partial<PathOptions> = {}) {
    this.clock = clock;
    this.random = random;
    this.#path = {
      latencyMs: 10,
      jitterMs: 0,
      bytesPerSecond: 20e6,
      lifetimeBytes: Infinity,
      ...path,
    };
  }

  /** Connection ends that are still open. */
  get openEnds(): number {
    return this.#ends.size;
  }

  /** How many open connection ends `host` has. */
  endsAt(host: string): number {
    let count = 0;
    for (const end of this.#ends) if (end.localHost === host) count++;
    return count;
  }

  /** How often somebody dialled `host`. */
  dialsTo(host: string): number {
    return this.#dials.get(host) ?? 0;
  }

  listen(host: string, port: number, acceptor: Acceptor): void {
    this.#acceptors.set(`${host} ${port}`, acceptor);
  }

  /** Whether it is `acceptor` who is asked there. */
  isListening({ host, port }: PeerAddress, acceptor: Acceptor): boolean {
    return this.#acceptors.get(`${host} ${port}`) === acceptor;
  }

  /** `host` is behind a router: it dials others, and nobody can dial it. */
  hide(host: string): void {
    this.#hidden.add(host);
  }

  /** All connections of `host` share so many bytes a second on their way out. */
  limitUplink(host: string, bytesPerSecond: number): void {
    this.#uplinks.set(host, bytesPerSecond);
  }

  /** The host is gone: nobody can connect to it, and its connections break. */
  cutOff(host: string): void {
    for (const key of [...this.#acceptors.keys()]) {
      if (key.startsWith(`${host} `)) this.#acceptors.delete(key);
    }
    for (const end of [...this.#ends]) if (end.localHost === host) end.close('cut off');
  }

  /** For `durationMs` nothing passes between `hosts` and all others; then what was sent arrives. */
  partition(hosts: Iterable<string>, durationMs: number): void {
    const inside = new Set(hosts);
    this.#partitions.add(inside);
    this.clock.after(durationMs, () => {
      this.#partitions.delete(inside);
      for (const end of [...this.#ends]) end.release();
    });
  }

  /** Whether nothing passes between two hosts now. */
  isCut(one: string, other: string): boolean {
    for (const inside of this.#partitions) if (inside.has(one) !== inside.has(other)) return true;
    return false;
  }

  dialerOf(localHost: string): Dialer {
    return {
      connect: (host, port, events) => this.#connect(localHost, { host, port }, events),
    };
  }

  /** When `size` bytes have left `host`, whose connection's own line is free at `lineFreeAt`. */
  departure(host: string, size: number, lineFreeAt: number): number {
    const own = Math.max(this.clock.now, lineFreeAt) + (size * 1000) / this.#path.bytesPerSecond;
    const rate = this.#uplinks.get(host);
    if (rate === undefined) return own;
    const freeAt = Math.max(this.clock.now, this.#uplinkFreeAt.get(host) ?? 0);
    const shared = freeAt + (size * 1000) / rate;
    this.#uplinkFreeAt.set(host, shared);
    return Math.max(own, shared);
  }

  forget(end: ConnectionEnd): void {
    this.#ends.delete(end);
  }

  #connect(
    localHost: string,
    remote: { host: string; port: number },
    events: ConnectionEvents,
  ): Connection {
    const near = new ConnectionEnd(this, { ...remote, localHost, isOutbound: true });
    near.events = events;
    this.#ends.add(near);
    this.#dials.set(remote.host, this.dialsTo(remote.host) + 1);
    this.trace.record(`dial ${localHost} ${remote.host}`, this.clock.now);
    if (this.isCut(localHost, remote.host)) {
      this.clock.after(DIAL_TIMEOUT_MS, () => near.close('nobody answers'));
      return near;
    }
    this.clock.after(this.#path.latencyMs * 2, () => this.#meet(near));
    return near;
  }

  #meet(near: ConnectionEnd): void {
    if (near.isClosed) return;
    const { remoteHost, remotePort, localHost } = near;
    const acceptor = this.#acceptors.get(`${remoteHost} ${remotePort}`);
    if (!acceptor || this.#hidden.has(remoteHost)) {
      near.close('nobody listens there');
      return;
    }
    const far = new ConnectionEnd(this, {
      host: localHost,
      port: this.#nextPort++,
      localHost: remoteHost,
      isOutbound: false,
    });
    this.#ends.add(far);
    near.join(far, this.#makePath());
    far.join(near, this.#makePath());
    far.events = acceptor(far);
    near.events?.onOpen();
  }

  #makePath(): Path {
    const { latencyMs, jitterMs, lifetimeBytes } = this.#path;
    const isMortal = Number.isFinite(lifetimeBytes);
    const bytesLeft = isMortal ? -Math.log(1 - this.random()) * lifetimeBytes : Infinity;
    return { latencyMs, jitterMs, bytesLeft: Math.floor(bytesLeft) };
  }
}
