/** Dials over TCP, and over uTP where TCP does not get through. */
import type { Connection, ConnectionEvents, Dialer } from '../../engine/index.ts';

/** The first way is left so long to itself: three round trips around the world. */
const HEAD_START_MS = 1_500;
/** A host that refused TCP has shown how fast it answers: uTP is waited for no longer than so. */
const AFTER_REFUSAL_MS = 1_500;
/** Addresses remembered where TCP is of no use. */
const UTP_FIRST_MAX = 1000;

/** Both ways to dial; either may be missing, not both. */
export interface DialerPair {
  readonly tcp: Dialer | null;
  readonly utp: Dialer | null;
}

/**
 * The first of both that answers is the connection. TCP is tried first: it is faster, and there is
 * less of ours in it. Where it was taken and hung up on before a byte came, uTP is first next time.
 */
export function racedDialer({ tcp, utp }: DialerPair): Dialer {
  if (!utp && tcp) return tcp;
  const utpFirst = new Set<string>();
  return {
    connect: (host, port, events) => {
      const key = `${host} ${port}`;
      const ways: Way[] = [];
      if (tcp) ways.push({ dialer: tcp, isUtp: false });
      if (utp) ways.push({ dialer: utp, isUtp: true });
      if (utpFirst.has(key)) ways.reverse();
      const onSilence = (wasUtp: boolean): void => {
        if (wasUtp) utpFirst.delete(key);
        else if (utpFirst.size < UTP_FIRST_MAX) utpFirst.add(key);
      };
      const race = new Race({ host, port, ways, onSilence }, events);
      race.begin();
      return race;
    },
  };
}

interface Way {
  readonly dialer: Dialer;
  readonly isUtp: boolean;
}

interface Target {
  readonly host: string;
  readonly port: number;
  /** Ways to dial, the first one first. */
  readonly ways: readonly Way[];
  /** The peer took the connection and ended it without a byte. */
  readonly onSilence: (wasUtp: boolean) => void;
}

/** To the engine a connection; the one that won carries its bytes. */
class Race implements Connection {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly isOutbound = true;
  readonly #events: ConnectionEvents;
  readonly #running = new Set<Connection>();
  readonly #onSilence: Target['onSilence'];
  #waiting: readonly Way[];
  #winner: Connection | null = null;
  #timer: NodeJS.Timeout | null = null;
  #firstReason: string | null = null;
  #hasHeard = false;
  #isOver = false;

  constructor({ host, port, ways, onSilence }: Target, events: ConnectionEvents) {
    this.remoteHost = host;
    this.remotePort = port;
    this.#waiting = ways;
    this.#onSilence = onSilence;
    this.#events = events;
  }

  begin(): void {
    this.#dialNext();
    if (this.#waiting.length > 0) this.#arm(HEAD_START_MS, () => this.#dialNext());
  }

  get isUtp(): boolean {
    return this.#winner?.isUtp ?? false;
  }

  get queuedBytes(): number {
    return this.#winner?.queuedBytes ?? 0;
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    if (this.#winner) this.#winner.write(parts, done);
    else done?.();
  }

  pauseReading(): void {
    this.#winner?.pauseReading();
  }

  resumeReading(): void {
    this.#winner?.resumeReading();
  }

  close(reason: string): void {
    if (this.#winner) this.#winner.close(reason);
    else this.#giveUp(reason);
  }

  #dialNext(): void {
    const [way, ...rest] = this.#waiting;
    if (!way) return;
    this.#waiting = rest;
    let runner: Connection | null = null;
    const events: ConnectionEvents = {
      onOpen: () => {
        if (runner) this.#onOpen(runner);
      },
      onBytes: (view) => {
        this.#hasHeard = true;
        if (runner === this.#winner) this.#events.onBytes(view);
      },
      onDrain: () => this.#events.onDrain(),
      onClosed: (reason) => {
        if (runner) this.#onClosed(runner, reason, way.isUtp);
      },
    };
    runner = way.dialer.connect(this.remoteHost, this.remotePort, events);
    this.#running.add(runner);
  }

  #onOpen(runner: Connection): void {
    if (this.#winner || this.#isOver) {
      runner.close('the other way was faster');
      return;
    }
    this.#winner = runner;
    this.#waiting = [];
    this.#disarm();
    for (const other of this.#running) {
      if (other !== runner) other.close('the other way was faster');
    }
    this.#events.onOpen();
  }

  #onClosed(runner: Connection, reason: string, wasUtp: boolean): void {
    this.#running.delete(runner);
    if (this.#winner === runner) {
      if (!this.#hasHeard) this.#onSilence(wasUtp);
      this.#finish(reason);
    }
    if (this.#winner || this.#isOver) return;
    this.#firstReason ??= reason;
    if (this.#waiting.length > 0) {
      this.#disarm();
      this.#dialNext();
      if (!wasUtp) this.#arm(AFTER_REFUSAL_MS, () => this.#giveUp(reason));
    } else if (this.#running.size === 0) this.#finish(this.#firstReason);
  }

  #giveUp(reason: string): void {
    for (const runner of this.#running) runner.close(reason);
    setImmediate(() => this.#finish(reason));
  }

  #finish(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting = [];
    this.#disarm();
    this.#events.onClosed(reason);
  }

  #arm(delayMs: number, action: () => void): void {
    this.#disarm();
    this.#timer = setTimeout(action, delayMs);
  }

  #disarm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
