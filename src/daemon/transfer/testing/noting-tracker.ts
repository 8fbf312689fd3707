/** An HTTP tracker on loopback that notes what it is told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { PeerAddress } from '../../../engine/index.ts';
import { toHex } from '../../../units/index.ts';
import { encodeBencode, parseAnnounceQuery } from '../../../wire/index.ts';

/** One announce as it came. */
export interface NotedAnnounce {
  readonly infoHash: string;
  /** `started`, `completed`, `stopped`, or `none`. */
  readonly event: string;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
  readonly corruptBytes: number;
  readonly port: number;
}

/** A running tracker; it ends with its test. */
export class NotingTracker {
  readonly announces: NotedAnnounce[] = [];
  /** Named to everybody who asks. */
  peers: readonly PeerAddress[] = [];
  readonly #server = createServer((request, response) => {
    const query = (request.url ?? '').split('?')[1] ?? '';
    const { announce } = parseAnnounceQuery(query);
    const corruptBytes = Number(/(?:^|&)corrupt=(\d+)/.exec(query)?.[1] ?? 0);
    this.announces.push({ ...announce, infoHash: toHex(announce.infoHash), corruptBytes });
    const peers = this.peers.map(({ host, port }) => ({ ip: host, port }));
    response.end(encodeBencode({ interval: 1800, peers }));
    this.#wake();
  });
  #wake = (): void => {};

  /** Starts one that ends after `t`. */
  static async start(t: TestContext): Promise<NotingTracker> {
    const tracker = new NotingTracker();
    await new Promise<void>((resolve) => tracker.#server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      tracker.#server.closeAllConnections();
      tracker.#server.close();
    });
    return tracker;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/announce`;
  }

  /** Events in the order they came. */
  get events(): readonly string[] {
    return this.announces.map(({ event }) => event);
  }

  /** The `nth` announce with this event, past or future. */
  async until(event: string, nth = 0): Promise<NotedAnnounce> {
    for (;;) {
      const found = this.announces.filter((announce) => announce.event === event)[nth];
      if (found) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
