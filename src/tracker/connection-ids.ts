/** UDP connection ids that need no memory: a MAC over the address and the minute (BEP 15). */
import { concatBytes, type Instant } from '../units/index.ts';
import { parseIp } from '../wire/index.ts';

/** A keyed hash of at least 8 bytes, such as HMAC-SHA-256 under a secret drawn at start. */
export type Mac = (message: Uint8Array) => Uint8Array;

/** "Trackers should accept the connection ID until two minutes after it has been send." */
const BUCKET_MS = 60_000;
const BUCKETS_ACCEPTED = 3;

/**
 * Issues and checks connection ids, so that only somebody who receives datagrams at an address
 * can announce it. Valid for two to three minutes after issue.
 */
export class ConnectionIds {
  readonly #mac: Mac;

  constructor(mac: Mac) {
    this.#mac = mac;
  }

  /** The id for this literal address now. */
  issue(host: string, now: Instant): bigint {
    return this.#idAt(host, Math.floor(now / BUCKET_MS));
  }

  /** Whether we gave this id to this address within the last two minutes. */
  isValid(id: bigint, host: string, now: Instant): boolean {
    const bucket = Math.floor(now / BUCKET_MS);
    for (let age = 0; age < BUCKETS_ACCEPTED; age++) {
      if (this.#idAt(host, bucket - age) === id) return true;
    }
    return false;
  }

  #idAt(host: string, bucket: number): bigint {
    const time = new Uint8Array(8);
    new DataView(time.buffer).setBigInt64(0, BigInt(bucket));
    const digest = this.#mac(concatBytes(time, parseIp(host) ?? new Uint8Array()));
    return new DataView(digest.buffer, digest.byteOffset, 8).getBigUint64(0);
  }
}
