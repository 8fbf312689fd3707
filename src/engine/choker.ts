/** Runs the upload policy every ten seconds and whenever something changed. */
import type { Instant, Random } from '../units/index.ts';
import type { Peer } from './peer.ts';
import type { UploadCandidate, UploadPolicy } from './upload-policy.ts';

/** BEP 3: long enough that connections reach their speed, short enough to follow changes. */
const ROUND_MS = 10_000;

/** Rounds that somebody asked for are at least this far apart. */
const EARLY_MS = 250;

/** What a round looks at. */
export interface ChokerView {
  readonly peers: Iterable<Peer>;
  readonly capacity: number;
  readonly isLimited: boolean;
  readonly slots: number;
  readonly random: Random;
}

/** The choker of one engine: slots are shared by all torrents. */
export class Choker {
  readonly #policy: UploadPolicy;
  #lastAt = -Infinity;
  #isRequested = false;

  constructor(policy: UploadPolicy) {
    this.#policy = policy;
  }

  /** Somebody became interested, left, or bid. */
  request(): void {
    this.#isRequested = true;
  }

  /** Whether a round is due. */
  isDue(now: Instant): boolean {
    const since = now - this.#lastAt;
    return since >= ROUND_MS || (this.#isRequested && since >= EARLY_MS);
  }

  /** Decides who is served from now on. */
  run(view: ChokerView, now: Instant): void {
    this.#lastAt = now;
    this.#isRequested = false;
    const peers = [...view.peers];
    const grants =
      view.slots === 0
        ? []
        : this.#policy.allot({
            now,
            capacity: view.capacity,
            isLimited: view.isLimited,
            slots: view.slots,
            candidates: peers.map(describe),
            random: view.random,
          });
    const weights = new Map(grants.map((grant) => [grant.peerKey, grant.weight]));
    for (const peer of peers) {
      const weight = weights.get(peer.peerKey);
      peer.upload.setUnchoked(weight !== undefined, weight ?? 0);
      peer.flush();
    }
  }
}

function describe(peer: Peer): UploadCandidate {
  const { upload, counters } = peer;
  return {
    peerKey: peer.peerKey,
    torrentKey: peer.torrentKey,
    remoteHost: peer.remoteHost,
    place: peer.place,
    isInterested: upload.isWaiting,
    isUnchoked: upload.isUnchoked,
    isSeeding: !peer.isDownloading,
    receiveRate: counters.receiveRate,
    sendRate: counters.sendRate,
    receivedBytes: counters.receivedBytes,
    sentBytes: counters.sentBytes,
    connectedAt: peer.connectedAt,
    unchokedAt: upload.unchokedAt,
  };
}
