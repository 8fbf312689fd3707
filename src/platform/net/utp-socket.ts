/** uTP over a real UDP port, or a proxy's: the clock, the timer and the loop around `UtpHost`. */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Connection,
  type ConnectionEvents,
  type Dialer,
  UtpHost,
} from '../../engine/index.ts';
import { looksLikeUtp } from '../../wire/index.ts';
import type { DatagramPort } from './datagram-port.ts';

/** Timeouts are half a second and more. */
const TICK_MS = 25;
/** What was sent last may take so long to arrive when the program ends. */
const FAREWELL_MS = 500;

/** The uTP side of a port. */
export class UtpSocket {
  readonly dialer: Dialer;
  readonly #host: UtpHost;
  #timer: NodeJS.Timeout | null = null;

  /** Dials from `port`, and lets in whoever dials it. */
  constructor(port: DatagramPort, accept: (connection: Connection) => ConnectionEvents) {
    const host = new UtpHost({
      send: (bytes, to, toPort) => port.send(bytes, to, toPort),
      nowUs: () => performance.now() * 1000,
      randomNumber: () => randomInt(65536),
      // The loop reads many datagrams, then comes here: one answer for all of them.
      wake: () => setImmediate(() => host.settle()),
      accept,
    });
    this.#host = host;
    port.listen(looksLikeUtp, (bytes, from, fromPort) => {
      host.onDatagram(bytes, from, fromPort);
      this.#keepTime();
    });
    this.dialer = {
      connect: (to, toPort, events) => {
        const connection = host.connect(to, toPort, events);
        this.#keepTime();
        return connection;
      },
    };
  }

  /** Breaks what is left after a moment for last words. */
  async close(): Promise<void> {
    const deadline = performance.now() + FAREWELL_MS;
    while (this.#host.size > 0 && performance.now() < deadline) await sleep(10);
    this.#host.close('we are shutting down');
    this.#stopTime();
  }

  #keepTime(): void {
    if (this.#timer || this.#host.size === 0) return;
    this.#timer = setInterval(() => {
      this.#host.tick();
      if (this.#host.size === 0) this.#stopTime();
    }, TICK_MS);
    this.#timer.unref();
  }

  #stopTime(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}
