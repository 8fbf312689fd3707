/** One DHT node for all transfer threads of a node: it lives in the main thread. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { DHT_ROUTERS, type DhtRouter, DhtService } from '../../platform/dht/index.ts';
import type { ProxyAddress } from '../../platform/egress/index.ts';
import { AppError } from '../../units/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { isLoopback } from '../loopback.ts';
import type { DhtAnswer, DhtWish } from './messages.ts';

/** How the DHT is joined. */
export interface DhtChoice {
  /** Nodes to begin with beside the well-known ones. */
  readonly nodes: readonly DhtRouter[];
  /** Whether the well-known routers are asked when nobody is known. */
  readonly useRouters: boolean;
}

/** Where the node listens, and what it keeps. */
export interface DhtPlace {
  readonly port: number;
  readonly bindHost: string | null;
  /** A SOCKS5 proxy, or null for none. */
  readonly proxy: ProxyAddress | null;
  readonly file: string;
  /** Told when the proxy or the bound address goes, or comes back. */
  readonly onNotice: (line: string) => void;
}

/** The DHT of a node. Lines can be drawn before it is open: what they say waits. */
export class NodeDht {
  readonly #choice: DhtChoice;
  readonly #lines: MessagePort[] = [];
  #service: DhtService | null = null;
  #failure: string | null = null;

  constructor(choice: DhtChoice) {
    this.#choice = choice;
  }

  /** Why there is no DHT after all; null while there is one. */
  get failure(): string | null {
    return this.#failure;
  }

  /** The DHT itself; null before it is open, and where there is none. */
  get service(): DhtService | null {
    return this.#service;
  }

  /** Our UDP port; 0 before it is open, and through a proxy. */
  get port(): number {
    return this.#service?.port ?? 0;
  }

  /** How many nodes we know, over both address families. */
  get nodeCount(): number {
    return (this.#service?.status() ?? []).reduce((sum, { nodeCount }) => sum + nodeCount, 0);
  }

  /** A line for one transfer thread. */
  newLine(): MessagePort {
    const { port1: near, port2: far } = new MessageChannel();
    this.#lines.push(near);
    return far;
  }

  /** Opens the UDP port. A machine that has none goes on without: `failure` says why. */
  async open(place: DhtPlace): Promise<void> {
    const routers = routersFor(this.#choice, place.bindHost);
    try {
      const service = await DhtService.start({ ...place, routers, isReadOnly: false });
      this.#service = service;
      for (const line of this.#lines) serve(line, service);
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      this.#failure = failure.message;
    }
  }

  /** The internet reaches our UDP port at this one: peers are told so. */
  reachedAt(port: number): void {
    const answer: DhtAnswer = { type: 'open', port };
    for (const line of this.#lines) line.postMessage(answer);
  }

  /** Remembers the nodes we know, and closes. */
  async close(): Promise<void> {
    for (const line of this.#lines) line.close();
    await this.#service?.stop();
  }
}

/** Whom to ask first. From the loopback address nobody out there can be reached. */
function routersFor({ nodes, useRouters }: DhtChoice, bindHost: string | null): DhtRouter[] {
  return [...nodes, ...(useRouters && !isLoopback(bindHost) ? DHT_ROUTERS : [])];
}

/**
 * A node of its own for a command that asks and goes: others do not count on it (BEP 43). Throws
 * DAEMON_DHT_ALONE when nobody answers, PLATFORM_LISTEN.
 */
export async function joinDht(choice: DhtChoice, place: DhtPlace): Promise<DhtService> {
  const routers = routersFor(choice, place.bindHost);
  const service = await DhtService.start({ ...place, routers, isReadOnly: true });
  if (await service.join()) return service;
  await service.stop();
  throw new DaemonError(
    'DAEMON_DHT_ALONE',
    'no node of the DHT answers: check the connection, or name a node with --dht-node',
  );
}

/** Does what a transfer thread wishes. */
function serve(line: MessagePort, service: DhtService): void {
  const say = (answer: DhtAnswer): void => line.postMessage(answer);
  line.on('message', (wish: DhtWish) => {
    switch (wish.type) {
      case 'follow': {
        const { infoHash, port, isSeed } = wish;
        const onPeers = (peers: Extract<DhtAnswer, { type: 'peers' }>['peers']): void =>
          say({ type: 'peers', infoHash, peers });
        service.follow({ infoHash, port, isSeed: () => isSeed, onPeers });
        break;
      }
      case 'unfollow':
        service.unfollow(wish.infoHash);
        break;
      case 'node':
        service.addNode({ host: wish.host, port: wish.port });
        break;
    }
  });
  line.unref();
  say({ type: 'open', port: service.port });
}
