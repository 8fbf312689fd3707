/** One decision for everything that connects: by which way it leaves this machine. */
import type net from 'node:net';
import { PlatformError } from '../platform-error.ts';
import { hasAddress } from './bound-address.ts';
import { DatagramRelay, type RelayListener, type RelayWaits } from './datagram-relay.ts';
import type { HostPort, TunnelEnd } from './greeting.ts';
import { isLocalName, NameLookup } from './name-lookup.ts';
import { describeProxy, type ProxyAddress } from './proxy-address.ts';
import { checkTarget, type DirectOptions, openTunnel, type ProxyRequest } from './tunnel.ts';
import { associate } from './udp-association.ts';

/** The user's choice. Plain values: it goes from thread to thread. */
export interface EgressOptions {
  /** Literal address that everything leaves from; null for whatever the system takes. */
  readonly bindHost: string | null;
  /** Left out or null: none. */
  readonly proxy?: ProxyAddress | null;
}

/** Trouble with the proxy is told no more often than this: it may come and go with each peer. */
const QUIET_MS = 60_000;

/** The ways out. One for each thread. */
export class Egress {
  readonly bindHost: string | null;
  readonly #proxy: ProxyAddress | null;
  readonly #onNotice: (line: string) => void;
  readonly #names: NameLookup;
  /** What leaves from the bound address. */
  readonly #kept = new Set<net.Socket>();
  #isAway = false;
  #isProxyFailing = false;
  #isTroubleTold = false;
  #isUdpRefusalTold = false;
  #quietUntil = 0;

  /** `onNotice` is told in one line when the proxy or the bound address goes, or comes back. */
  constructor({ bindHost, proxy = null }: EgressOptions, onNotice: (line: string) => void) {
    this.bindHost = bindHost;
    this.#proxy = proxy;
    this.#onNotice = onNotice;
    this.#names = new NameLookup(bindHost);
  }

  /** Connections go through a proxy: `tunnel` makes them, and names are left to it. */
  get hasProxy(): boolean {
    return this.#proxy !== null;
  }

  /**
   * Whether sockets may be opened for whoever comes. Not with a proxy: who sent us a datagram or
   * dialled us would have met our own address.
   */
  get isOpen(): boolean {
    return this.#proxy === null;
  }

  /** Whether datagrams can be sent at all, by sockets or by a relay. HTTP proxies carry none. */
  get carriesUdp(): boolean {
    return this.#proxy?.kind !== 'http';
  }

  /** The bound address is not here at the moment: nothing is to be sent. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Nothing gets out at the moment: the proxy is of no use, or the bound address is not here. */
  get isCutOff(): boolean {
    return this.#isAway || this.#isProxyFailing;
  }

  /** Why nothing can be connected now, as the end of a sentence; null when it can. */
  get refusal(): string | null {
    return this.#isAway ? `${this.bindHost} is no address of this machine any more` : null;
  }

  /**
   * Looks whether the bound address is still here; call it every second. True when it has just
   * gone: what was connected or asked from it is ended, for the system may send it by another way.
   */
  look(): boolean {
    if (this.bindHost === null) return false;
    const wasAway = this.#isAway;
    this.#isAway = !hasAddress(this.bindHost);
    if (this.#isAway === wasAway) return false;
    if (this.#isAway) this.#hangUp();
    const line = this.#isAway
      ? `the address ${this.bindHost} is gone: nothing is sent until it is back`
      : `the address ${this.bindHost} is back: going on`;
    this.#onNotice(line);
    return this.#isAway;
  }

  /** Has a socket that was connected, or let in, at the bound address end when that goes. */
  keep(socket: net.Socket): void {
    if (this.bindHost === null) return;
    this.#kept.add(socket);
    socket.once('close', () => this.#kept.delete(socket));
  }

  /** For sockets that need no proxy. */
  get direct(): DirectOptions {
    if (this.bindHost === null) return {};
    return {
      localAddress: this.bindHost,
      lookup: (host, options, callback) => {
        this.#names.lookUpOne(host).then(
          ({ address, family }) => {
            if (options.all === true) callback(null, [{ address, family }]);
            else callback(null, address, family);
          },
          (failure: NodeJS.ErrnoException) => callback(failure, '', 0),
        );
      },
    };
  }

  /**
   * The addresses of a name; null when they are the proxy's business, and nobody here may ask.
   * Throws what the resolver throws.
   */
  async resolve(host: string): Promise<readonly string[] | null> {
    if (this.#proxy === null) return this.#names.lookUp(host);
    // At the proxy's side that is the proxy's own machine.
    return isLocalName(host) ? ['127.0.0.1'] : null;
  }

  /**
   * Connects through the proxy.
   *
   * @throws PlatformError PLATFORM_PROXY when the proxy is of no use, PLATFORM_PROXY_TARGET when
   * it cannot reach `to`
   */
  async tunnel(to: HostPort, signal: AbortSignal): Promise<TunnelEnd> {
    const way = this.#wayToProxy(signal);
    checkTarget(to);
    try {
      const end = await openTunnel({ ...way, to });
      this.#heedProxy(null);
      return end;
    } catch (failure) {
      if (!signal.aborted && failure instanceof PlatformError) this.#heedProxy(failure);
      throw failure;
    }
  }

  /** A way for datagrams through the proxy, which is a SOCKS5 proxy. Opened when it is used. */
  relay(listener: RelayListener, waits?: RelayWaits): DatagramRelay {
    const isAway = (): boolean => this.#isAway;
    const deps = {
      isAway,
      associate: async (
        onDatagram: RelayListener['onDatagram'],
        onEnd: () => void,
        signal: AbortSignal,
      ) => {
        const way = this.#wayToProxy(signal);
        try {
          const association = await associate({ ...way, onDatagram, onEnd });
          this.#heedProxy(null);
          this.#heedUdp(null);
          return association;
        } catch (failure) {
          if (!signal.aborted && failure instanceof PlatformError) this.#heedUdp(failure);
          throw failure;
        }
      },
    };
    return new DatagramRelay(deps, listener, waits);
  }

  #wayToProxy(signal: AbortSignal): ProxyRequest {
    const proxy = this.#proxy;
    if (!proxy) throw new TypeError('there is no proxy');
    if (this.refusal !== null) throw new PlatformError('PLATFORM_BIND', this.refusal);
    return { proxy, direct: this.direct, keep: (socket) => this.keep(socket), signal };
  }

  /** Tells once that the proxy carries no datagrams, and once when it does after all. */
  #heedUdp(failure: PlatformError | null): void {
    if (!this.#proxy) return;
    if (failure === null) {
      if (!this.#isUdpRefusalTold) return;
      this.#isUdpRefusalTold = false;
      this.#onNotice(`the proxy at ${describeProxy(this.#proxy)} carries UDP now`);
    } else if (failure.code !== 'PLATFORM_PROXY_UDP') this.#heedProxy(failure);
    else if (!this.#isUdpRefusalTold) {
      this.#isUdpRefusalTold = true;
      this.#onNotice(`${failure.message}; uTP, the DHT and UDP trackers are off`);
    }
  }

  /** Tells of the proxy's trouble when it begins and when it is over; not of every hiccup. */
  #heedProxy(failure: PlatformError | null): void {
    const isFailing = failure?.code === 'PLATFORM_PROXY';
    if (isFailing === this.#isProxyFailing || !this.#proxy) return;
    this.#isProxyFailing = isFailing;
    if (isFailing) {
      const now = performance.now();
      this.#isTroubleTold = now >= this.#quietUntil;
      if (!this.#isTroubleTold) return;
      this.#quietUntil = now + QUIET_MS;
      this.#onNotice(`${failure.message}; nothing goes past it`);
    } else if (this.#isTroubleTold) {
      this.#onNotice(`the proxy at ${describeProxy(this.#proxy)} works again`);
    }
  }

  /** At once, and without what was still to be sent. */
  #hangUp(): void {
    this.#names.cancel();
    for (const socket of this.#kept) {
      if (socket.connecting) socket.destroy(new Error('our address is gone'));
      else socket.resetAndDestroy();
    }
  }
}

/** No proxy, and no address in particular. */
export const DIRECT: Egress = new Egress({ bindHost: null }, () => {});
