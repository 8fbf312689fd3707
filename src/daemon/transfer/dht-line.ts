/** The transfer thread's end of the line to the node's DHT, which lives in the main thread. */
import type { MessagePort } from 'node:worker_threads';
import type { PeerAddress } from '../../engine/index.ts';
import { toHex } from '../../units/index.ts';
import type { DhtAnswer, DhtWish } from '../dht/index.ts';

/** A torrent whose peers are wanted. Never a private one (BEP 27). */
export interface FollowedTorrent {
  readonly infoHash: Uint8Array;
  readonly port: number;
  readonly isSeed: boolean;
  readonly onPeers: (peers: readonly PeerAddress[]) => void;
}

/** The DHT as a transfer thread sees it. */
export class DhtLine {
  readonly #port: MessagePort;
  readonly #followed = new Map<string, FollowedTorrent>();

  /** `onOpen` is told the UDP port of our node, once it has one. */
  constructor(port: MessagePort, onOpen: (udpPort: number) => void) {
    this.#port = port;
    port.on('message', (answer: DhtAnswer) => {
      if (answer.type === 'open') onOpen(answer.port);
      else this.#followed.get(toHex(answer.infoHash))?.onPeers(answer.peers);
    });
  }

  /** Announces a torrent and asks for its peers until `unfollow`; again to change what is said. */
  follow(torrent: FollowedTorrent): void {
    const { infoHash, port, isSeed } = torrent;
    this.#followed.set(toHex(infoHash), torrent);
    this.#say({ type: 'follow', infoHash, port, isSeed });
  }

  unfollow(infoHash: Uint8Array): void {
    if (this.#followed.delete(toHex(infoHash))) this.#say({ type: 'unfollow', infoHash });
  }

  /** A peer says that its DHT node is there. */
  addNode({ host, port }: PeerAddress): void {
    this.#say({ type: 'node', host, port });
  }

  #say(wish: DhtWish): void {
    this.#port.postMessage(wish);
  }
}
