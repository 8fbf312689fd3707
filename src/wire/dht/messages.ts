/** What DHT nodes say to each other: KRPC messages as values (BEP 5, 32, 33, 42, 43, 44, 51). */
import type { Endpoint, Family } from '../tracker/endpoint.ts';
import type { DhtItem } from './items.ts';

/** A node: its id, and where it is. */
export interface NodeContact extends Endpoint {
  /** 20 bytes. */
  readonly id: Uint8Array;
}

/** Families of nodes a reply should list (BEP 32); null leaves it to the one asked over. */
export type Want = readonly Family[] | null;

/** A question. Hashes and targets have 20 bytes. */
export type DhtQuery =
  | { readonly method: 'ping' }
  | { readonly method: 'find_node'; readonly target: Uint8Array; readonly want: Want }
  | {
      readonly method: 'get_peers';
      readonly infoHash: Uint8Array;
      readonly want: Want;
      /** Wants the bloom filters (BEP 33). */
      readonly isScrape: boolean;
      /** Has no use for seeds (BEP 33). */
      readonly noSeeds: boolean;
    }
  | {
      readonly method: 'announce_peer';
      readonly infoHash: Uint8Array;
      /** 0 only with `isPortImplied`: then the port the packet came from counts. */
      readonly port: number;
      readonly isPortImplied: boolean;
      readonly isSeed: boolean;
      readonly token: Uint8Array;
    }
  | {
      readonly method: 'get';
      readonly target: Uint8Array;
      readonly want: Want;
      /** Only an item with a larger number is of use. */
      readonly sequence: bigint | null;
    }
  | {
      readonly method: 'put';
      readonly token: Uint8Array;
      readonly item: DhtItem;
      /** Store only over this sequence number. */
      readonly expectedSequence: bigint | null;
    }
  | { readonly method: 'sample_infohashes'; readonly target: Uint8Array; readonly want: Want }
  /** A method we do not know; answered like `find_node` when it has a target. */
  | { readonly method: 'unknown'; readonly target: Uint8Array | null }
  /** A known method with arguments that cannot be read: only received, never sent. */
  | { readonly method: 'invalid'; readonly problem: string };

/** An item as a reply to `get` carries it: without its salt, which the asker knows. */
export interface ReplyItem {
  readonly value: Uint8Array;
  /** null for an immutable item. */
  readonly signed: { readonly publicKey: Uint8Array; readonly signature: Uint8Array } | null;
}

/** An answer: of its fields those that the question's method calls for. */
export interface DhtReply {
  readonly nodes: readonly NodeContact[];
  readonly nodes6: readonly NodeContact[];
  /** Needed for `announce_peer` and `put`. */
  readonly token: Uint8Array | null;
  /** `values`. */
  readonly peers: readonly Endpoint[];
  /** Bloom filters of 256 bytes (BEP 33). */
  readonly seedFilter: Uint8Array | null;
  readonly peerFilter: Uint8Array | null;
  readonly item: ReplyItem | null;
  /** Of a mutable item, also without the item. */
  readonly sequence: bigint | null;
  /** BEP 51. */
  readonly samples: InfoHashSamples | null;
}

/** Some of the info-hashes a node holds peers of (BEP 51). */
export interface InfoHashSamples {
  readonly infoHashes: readonly Uint8Array[];
  /** How many it holds in all. */
  readonly totalCount: number;
  /** When asking again is of use, 0..21600. */
  readonly intervalSeconds: number;
}

/** One packet. */
export type KrpcMessage =
  | {
      readonly kind: 'query';
      readonly transactionId: Uint8Array;
      readonly senderId: Uint8Array;
      /** The sender answers no queries and belongs in no routing table (BEP 43). */
      readonly isReadOnly: boolean;
      readonly query: DhtQuery;
    }
  | {
      readonly kind: 'reply';
      readonly transactionId: Uint8Array;
      readonly senderId: Uint8Array;
      readonly reply: DhtReply;
      /** Our address as the sender sees it (BEP 42). */
      readonly externalAddress: Endpoint | null;
    }
  | {
      readonly kind: 'error';
      readonly transactionId: Uint8Array;
      readonly code: number;
      readonly text: string;
      readonly externalAddress: Endpoint | null;
    };

/** Codes of `error` messages (BEP 5, BEP 44). */
export const KRPC_ERROR = {
  generic: 201,
  server: 202,
  protocol: 203,
  methodUnknown: 204,
  valueTooBig: 205,
  signatureInvalid: 206,
  saltTooBig: 207,
  casMismatch: 301,
  sequenceTooLow: 302,
} as const;

/** A reply that says nothing but who answers: to be spread into others. */
export const EMPTY_REPLY: DhtReply = {
  nodes: [],
  nodes6: [],
  token: null,
  peers: [],
  seedFilter: null,
  peerFilter: null,
  item: null,
  sequence: null,
  samples: null,
};
