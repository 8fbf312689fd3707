/** The tracker's limits and times, each with its default. */

/** What the announce table allows. */
export interface TableOptions {
  /** Torrents known at once. */
  readonly swarmsMax: number;
  /** Peers in all swarms; about 500 bytes of memory each. */
  readonly peersMax: number;
  readonly peersPerSwarmMax: number;
  /** Entries of one IPv4 address or IPv6 /64, in one swarm and in all. */
  readonly peersPerNetworkPerSwarmMax: number;
  readonly peersPerNetworkMax: number;
  /** Peers in one reply, whatever was asked for. */
  readonly numWantMax: number;
  /** Peers in a reply to a client that did not say. */
  readonly numWantDefault: number;
  /** When clients shall come back. */
  readonly intervalSeconds: number;
  /** How soon they may. */
  readonly minIntervalSeconds: number;
  /** A peer not heard of for so long is gone: two intervals and some slack. */
  readonly peerLifeSeconds: number;
}

/** 30 minutes between announces, as public trackers do; room for half a million peers. */
export const TABLE_DEFAULTS: TableOptions = {
  swarmsMax: 100_000,
  peersMax: 500_000,
  peersPerSwarmMax: 50_000,
  peersPerNetworkPerSwarmMax: 256,
  peersPerNetworkMax: 20_000,
  numWantMax: 200,
  numWantDefault: 50,
  intervalSeconds: 1800,
  minIntervalSeconds: 60,
  peerLifeSeconds: 2 * 1800 + 300,
};
