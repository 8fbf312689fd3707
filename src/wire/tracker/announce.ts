/** What an announce and a scrape say, whichever protocol carries them (BEP 3, 15, 48). */
import type { Endpoint } from './endpoint.ts';

/** Why a client announces; `none` is the regular one (BEP 3). */
export type AnnounceEvent = 'none' | 'completed' | 'started' | 'stopped';

/** One client's word to a tracker about one swarm. */
export interface AnnounceRequest {
  /** 20 bytes; a v2 hash is cut to its first 20 (BEP 52). */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Where this client accepts peers, 0..65535. */
  readonly port: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  /** Received and thrown away; only HTTP trackers hear of it. Left out, nothing was. */
  readonly corruptBytes?: number;
  readonly leftBytes: number;
  readonly event: AnnounceEvent;
  /** 32 random bits that name the client across addresses (BEP 7, BEP 15). */
  readonly key: number;
  /** How many peers are wanted; -1 leaves it to the tracker. */
  readonly numWant: number;
}

/** What a tracker answered to an announce. */
export interface AnnounceReply {
  readonly intervalSeconds: number;
  /** 0 when the tracker gave none. */
  readonly minIntervalSeconds: number;
  /** null when the tracker does not count them. */
  readonly seeders: number | null;
  readonly leechers: number | null;
  readonly peers: readonly Endpoint[];
  /** To be shown to the user; the reply still counts. */
  readonly warning: string | null;
  /** To be sent back with the next announce. */
  readonly trackerId: string | null;
  /** Our address as the tracker sees it (BEP 24). */
  readonly externalIp: string | null;
}

/** A tracker said no. */
export interface TrackerRefusal {
  readonly reason: string;
  /** Minutes to wait (BEP 31), `never`, or null when it did not say. */
  readonly retryInMinutes: number | 'never' | null;
}

/** One swarm's numbers (BEP 48). */
export interface ScrapeCounts {
  readonly seeders: number;
  readonly leechers: number;
  /** How many peers ever completed. */
  readonly completed: number;
}

/** A reply, or the tracker's refusal. */
export type TrackerReply<T> =
  | { readonly ok: true; readonly reply: T }
  | { readonly ok: false; readonly refusal: TrackerRefusal };

/** Tracker replies beyond this are not read: 2 MiB holds more than 300,000 compact peers. */
export const TRACKER_REPLY_BYTES_MAX: number = 2 * 1024 * 1024;

/** Peers taken from one reply, the rest ignored: more than any client connects to. */
export const REPLY_PEERS_MAX: number = 2000;
