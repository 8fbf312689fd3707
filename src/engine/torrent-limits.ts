/** The limits of one torrent, beside those that all torrents share. */
import { type BytesPerSecond, UNLIMITED } from '../units/index.ts';
import { TokenBucket } from './token-bucket.ts';

/** New limits on block payload in bytes a second; `Infinity` lifts one, a missing one stays. */
export interface RateLimits {
  readonly upload?: BytesPerSecond;
  readonly download?: BytesPerSecond;
}

/** Both directions of a torrent, unlimited at first. */
export class TorrentLimits {
  readonly upload: TokenBucket = new TokenBucket(UNLIMITED);
  readonly download: TokenBucket = new TokenBucket(UNLIMITED);
}
