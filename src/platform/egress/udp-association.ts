/** Datagrams through a SOCKS5 proxy for as long as one connection to it is open (RFC 1928). */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type net from 'node:net';
import {
  decodeSocksDatagram,
  formatIp,
  parseIp,
  type SocksDatagram,
  unmapIp,
  WireError,
} from '../../wire/index.ts';
import { PlatformError } from '../platform-error.ts';
import { type HostPort, RefusedTarget } from './greeting.ts';
import { describeProxy } from './proxy-address.ts';
import { type ProxyRequest, reachProxy } from './tunnel.ts';

/** Takes what came through the proxy. Lends `bytes` for the call, to be changed at will. */
export type DatagramTaker = (bytes: Uint8Array, host: string, port: number) => void;

/** What is needed for an association. */
export interface AssociationRequest extends ProxyRequest {
  readonly onDatagram: DatagramTaker;
  /** The proxy, or the bound address, has gone; not after `close`. */
  readonly onEnd: () => void;
}

/** While it is there the proxy passes datagrams on. */
export interface UdpAssociation {
  /** With its header. What cannot be sent is lost. */
  send(datagram: Uint8Array): void;
  close(): void;
}

/** A proxy that vanishes without a word is found out by asking its system whether it is there. */
const KEEP_ALIVE_MS = 60_000;
/** Bursts come faster than they are read. The system may allow less. */
const BUFFER_BYTES = 1024 * 1024;

/**
 * Has a SOCKS5 proxy relay datagrams.
 *
 * They are sent to the proxy's own address, whatever it says: nothing leaves for anywhere else. The
 * socket is connected, so that the system lets nobody else be heard.
 *
 * @throws PlatformError PLATFORM_PROXY when the proxy is of no use at all, PLATFORM_PROXY_UDP when
 * it does not carry datagrams
 */
export async function associate(request: AssociationRequest): Promise<UdpAssociation> {
  const { proxy } = request;
  try {
    return await reachProxy(request, async (control) => {
      const { askSocksForUdp } = await import('./socks-greeting.ts');
      const relay = placeOf(await askSocksForUdp(proxy, control), control);
      const socket = await connectUdp(relay, request.direct.localAddress);
      if (!control.destroyed) return begin({ control, socket }, request);
      socket.close();
      throw new RefusedTarget('hangs up');
    });
  } catch (failure) {
    if (!(failure instanceof RefusedTarget)) throw failure;
    const text = `the proxy at ${describeProxy(proxy)} carries no UDP: it ${failure.message}`;
    throw new PlatformError('PLATFORM_PROXY_UDP', text);
  }
}

interface Sockets {
  readonly control: net.Socket;
  readonly socket: Socket;
}

function begin({ control, socket }: Sockets, request: AssociationRequest): UdpAssociation {
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    socket.close();
    control.destroy();
  };
  socket.on('message', (message) => take(message, request.onDatagram));
  // "Port unreachable" is no failure of the socket; that the proxy has gone the connection tells.
  socket.on('error', () => {});
  // A proxy has nothing to say there any more: it is read only to be told of the end.
  control.resume();
  control.setKeepAlive(true, KEEP_ALIVE_MS);
  control.once('close', () => {
    if (isClosed) return;
    close();
    request.onEnd();
  });
  // Waiting for strangers must not keep the program alive.
  control.unref();
  socket.unref();
  return {
    send: (datagram) => {
      if (!isClosed) socket.send(datagram, () => {});
    },
    close,
  };
}

/** Hands a datagram on; what is none is dropped, as the network may drop any. */
function take(message: Uint8Array, onDatagram: DatagramTaker): void {
  let read: SocksDatagram;
  try {
    read = decodeSocksDatagram(message);
  } catch (failure) {
    if (failure instanceof WireError) return;
    throw failure;
  }
  onDatagram(read.payload, read.from.host, read.from.port);
}

/** Where the proxy wants datagrams, when that is a place we send to. */
function placeOf({ host, port }: HostPort, control: net.Socket): HostPort {
  const own = plain(control.remoteAddress ?? '');
  const said = plain(host);
  if (own === null) throw new RefusedTarget('hangs up');
  if (port === 0) throw new RefusedTarget('names no port for it');
  const isItself = host === '' || said === own || said === '0.0.0.0' || said === '::';
  if (!isItself) throw new RefusedTarget('wants it sent to another address than its own');
  return { host: own, port };
}

/** The address itself, in the one way to write it; null for what is none. */
function plain(host: string): string | null {
  const ip = parseIp(host);
  return ip && formatIp(unmapIp(ip));
}

async function connectUdp({ host, port }: HostPort, from: string | undefined): Promise<Socket> {
  const family = host.includes(':') ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (address, _options, done) => done(null, address, family),
  });
  try {
    if (from !== undefined) {
      socket.bind({ address: from });
      await once(socket, 'listening');
    }
    socket.connect(port, host);
    await once(socket, 'connect');
    enlarge(socket);
    return socket;
  } catch {
    socket.close();
    throw new RefusedTarget('cannot be sent datagrams from here');
  }
}

function enlarge(socket: Socket): void {
  try {
    socket.setRecvBufferSize(BUFFER_BYTES);
    socket.setSendBufferSize(BUFFER_BYTES);
  } catch {
    // Smaller buffers lose more in bursts.
  }
}
