/** All connections of an engine: how many there are, where from, and who has not shaken hands. */
import type { Instant } from '../units/index.ts';
import type { Connection } from './ports.ts';

/** Connections at most, half-open ones included. */
export const CONNECTIONS_MAX = 500;
/** Of them, from or to one place: a tenth, for a street of users behind one address. */
const PLACE_CONNECTIONS_MAX = 50;
/** A handshake must be complete by then. */
const HANDSHAKE_MS = 10_000;

/** What it is made with. */
export interface ConnectionsOptions {
  readonly max: number;
  /** Which hosts count as one; null for those that are not counted. */
  readonly placeOf: (host: string) => string | null;
}

/** See the head of this file. A connection counts from its beginning until it is closed. */
export class Connections {
  readonly #options: ConnectionsOptions;
  /** With their places. */
  readonly #open = new Map<Connection, string | null>();
  /** Since when those wait that have not shaken hands; the oldest first. */
  readonly #waiting = new Map<Connection, Instant>();
  readonly #counts = new Map<string, number>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Whether one more can be dialled; with a host, whether there. */
  hasRoom(host: string | null = null): boolean {
    const place = host === null ? null : this.#options.placeOf(host);
    return this.#open.size < this.#options.max && !this.#isCrowded(place);
  }

  /**
   * Whether one can come in from `host`. If need be, that one ends which has kept us waiting for
   * its handshake longest: of the same place when that has its share, else of any.
   */
  makeRoom(host: string): boolean {
    const place = this.#options.placeOf(host);
    if (this.#isCrowded(place)) return this.#endWaiting(place);
    return this.#open.size < this.#options.max || this.#endWaiting(null);
  }

  /** It begins. */
  add(connection: Connection, now: Instant): void {
    const place = this.#options.placeOf(connection.remoteHost);
    this.#open.set(connection, place);
    this.#waiting.set(connection, now);
    if (place !== null) this.#counts.set(place, this.#countAt(place) + 1);
  }

  /** It has shaken hands. */
  onAdmitted(connection: Connection): void {
    this.#waiting.delete(connection);
  }

  /** It is over; false when it was forgotten before. */
  remove(connection: Connection): boolean {
    const place = this.#open.get(connection);
    this.#waiting.delete(connection);
    if (place === undefined) return false;
    this.#open.delete(connection);
    if (place === null) return true;
    const left = this.#countAt(place) - 1;
    if (left > 0) this.#counts.set(place, left);
    else this.#counts.delete(place);
    return true;
  }

  /** Ends those whose time for a handshake is up. */
  endLate(now: Instant): void {
    for (const [connection, since] of this.#waiting) {
      if (now - since > HANDSHAKE_MS) connection.close('no handshake within 10 s');
    }
  }

  /** Ends all that have not shaken hands. */
  endAllWaiting(reason: string): void {
    for (const connection of [...this.#waiting.keys()]) connection.close(reason);
  }

  #countAt(place: string): number {
    return this.#counts.get(place) ?? 0;
  }

  #isCrowded(place: string | null): boolean {
    return place !== null && this.#countAt(place) >= PLACE_CONNECTIONS_MAX;
  }

  #endWaiting(place: string | null): boolean {
    for (const connection of this.#waiting.keys()) {
      if (connection.isOutbound) continue;
      if (place !== null && this.#open.get(connection) !== place) continue;
      this.remove(connection);
      connection.close('others wait for its place');
      return true;
    }
    return false;
  }
}
