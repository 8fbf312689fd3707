/** What the protocols of proxies have in common: a connection to the proxy becomes a tunnel. */
import type net from 'node:net';
import type { ProxyAddress } from './proxy-address.ts';

/** Where a connection leads. */
export interface HostPort {
  /** A name, which the proxy looks up, or a literal address. */
  readonly host: string;
  readonly port: number;
}

/** The near end of a connection that leads to the other side. */
export interface TunnelEnd {
  /** Paused, without listeners but one that keeps errors from being unhandled. */
  readonly socket: net.Socket;
  /** What the other side has sent already. */
  readonly head: Uint8Array;
}

/** What a proxy's protocol is given: a connection to the proxy. */
export interface Greeting {
  readonly proxy: ProxyAddress;
  readonly to: HostPort;
  readonly socket: net.Socket;
}

/** The proxy works, but not for this place, or datagrams. The message begins with the proxy. */
export class RefusedTarget extends Error {}
