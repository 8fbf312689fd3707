/** What a transfer thread and the node's DHT say to each other: plain values only. */
import type { Endpoint } from '../../wire/index.ts';

/** From a transfer thread. */
export type DhtWish =
  | {
      readonly type: 'follow';
      /** 20 bytes. */
      readonly infoHash: Uint8Array;
      /** Where the torrent's peers reach us; 0 does not announce. */
      readonly port: number;
      readonly isSeed: boolean;
    }
  | { readonly type: 'unfollow'; readonly infoHash: Uint8Array }
  /** A peer's DHT node is there. */
  | { readonly type: 'node'; readonly host: string; readonly port: number };

/** To a transfer thread. */
export type DhtAnswer =
  /** Our node is reached at this UDP port; 0 when it cannot be. */
  | { readonly type: 'open'; readonly port: number }
  | { readonly type: 'peers'; readonly infoHash: Uint8Array; readonly peers: readonly Endpoint[] };
