/** What lies between a uTP connection and the host it lives in. */
import type { Connection, ConnectionEvents } from '../ports.ts';

/** What a connection needs of the host it lives in. */
export interface UtpLink {
  readonly nowUs: () => number;
  /** 0 to 65535, which nobody can guess. */
  readonly randomNumber: () => number;
  /** A piece of memory for a packet. */
  readonly memory: (size: number) => Uint8Array;
  /** Lends `bytes`, which may be changed and sent again later. */
  readonly send: (bytes: Uint8Array) => void;
  /** `settle` is to be called soon. */
  readonly wake: () => void;
  /** Runs `action` soon, not within the present call. */
  readonly later: (action: () => void) => void;
  /** The first data of somebody who dialled us has come: where events go. */
  readonly accept: (connection: Connection) => ConnectionEvents;
  /** The connection is over: no packet is for it any more. */
  readonly forget: () => void;
}

/** Names of a connection, and its first number. */
export interface UtpIdentity {
  readonly host: string;
  readonly port: number;
  readonly isOutbound: boolean;
  /** On packets that come. */
  readonly receiveId: number;
  /** On packets that go. */
  readonly sendId: number;
  readonly firstSequence: number;
}

/**
 * `dialling`: waits for an answer. `greeted`: answered a dial whose address is not proven.
 * `closing`: nobody listens any more, but what was sent is seen to. `over`: forgotten.
 */
export type UtpState = 'dialling' | 'greeted' | 'open' | 'closing' | 'over';
