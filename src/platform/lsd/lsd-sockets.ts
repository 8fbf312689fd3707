/** Sends announces on every interface to the groups of BEP 14, and hears those of others. */
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import {
  encodeLsd,
  LSD_GROUP_V4,
  LSD_GROUP_V6,
  LSD_PORT,
  type LsdAnnounce,
} from '../../discovery/index.ts';
import { plainHost } from '../net/index.ts';

/** Which interfaces take part, and who hears. */
export interface LsdSocketsOptions {
  /** Only the interface with this address; null for all. */
  readonly bindHost: string | null;
  /** A datagram came in from `host`. Borrowed. */
  readonly onDatagram: (view: Uint8Array, host: string) => void;
}

/** Virtual machines and containers have hundreds. */
const INTERFACES_MAX = 16;
/** The groups reach beyond the next router where it lets them (BEP 14). */
const HOPS = 4;

/** One interface and family by which announces go out. */
interface Way {
  readonly family: 4 | 6;
  /** As the socket calls want it: an address, or a scope. */
  readonly name: string;
}

/** Open sockets; an interface that cannot take part is left out, also all of them. */
export class LsdSockets {
  readonly #sockets: Socket[] = [];
  readonly #senders: { readonly way: Way; readonly socket: Socket }[] = [];

  private constructor() {}

  /** Opens what can be opened. Never fails: then nobody is heard. */
  static async open(options: LsdSocketsOptions): Promise<LsdSockets> {
    const sockets = new LsdSockets();
    const ways = waysOut(options.bindHost);
    for (const family of [4, 6] as const) {
      const own = ways.filter((way) => way.family === family);
      if (own.length > 0) await sockets.#listen(own, options.onDatagram);
    }
    for (const way of ways) await sockets.#openSender(way);
    return sockets;
  }

  /** Whether anybody can hear us. */
  get canSend(): boolean {
    return this.#senders.length > 0;
  }

  /** Announces on every interface. What is lost is said again in five minutes. */
  send(announce: LsdAnnounce): void {
    for (const { way, socket } of this.#senders) {
      const group = way.family === 4 ? LSD_GROUP_V4 : LSD_GROUP_V6;
      socket.send(encodeLsd(announce, way.family), LSD_PORT, group, () => {});
    }
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
    this.#senders.length = 0;
  }

  async #listen(ways: readonly Way[], onDatagram: LsdSocketsOptions['onDatagram']): Promise<void> {
    const family = ways[0]?.family ?? 4;
    const socket = makeSocket(family);
    if (!(await bind(socket, LSD_PORT))) return;
    this.#sockets.push(socket);
    const group = family === 4 ? LSD_GROUP_V4 : LSD_GROUP_V6;
    for (const way of ways) attempt(() => socket.addMembership(group, way.name));
    socket.on('message', (view, { address }) => onDatagram(view, plainHost(address)));
  }

  async #openSender(way: Way): Promise<void> {
    const socket = makeSocket(way.family);
    if (!(await bind(socket, 0))) return;
    this.#sockets.push(socket);
    const isReady = attempt(() => {
      socket.setMulticastInterface(way.name);
      socket.setMulticastTTL(HOPS);
      // Another client on this machine is a neighbour, too.
      socket.setMulticastLoopback(true);
    });
    if (isReady) this.#senders.push({ way, socket });
  }
}

function makeSocket(family: 4 | 6): Socket {
  const socket =
    family === 4
      ? createSocket({ type: 'udp4', reuseAddr: true })
      : createSocket({ type: 'udp6', reuseAddr: true, ipv6Only: true });
  // Whatever goes wrong with multicast is no reason to trouble anybody.
  socket.on('error', () => {});
  socket.unref();
  return socket;
}

function bind(socket: Socket, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind({ port }, () => resolve(true));
  });
}

function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

function waysOut(bindHost: string | null): Way[] {
  const ways: Way[] = [];
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    for (const { address, family } of addresses) {
      if (bindHost !== null && address !== bindHost) continue;
      if (family === 'IPv4') ways.push({ family: 4, name: address });
      else if (!ways.some((way) => way.name === `::%${name}`)) {
        ways.push({ family: 6, name: `::%${name}` });
      }
    }
  }
  return ways.slice(0, INTERFACES_MAX);
}
