/** How a session is opened. */
import type { DataFolder } from '../data-folder.ts';
import type { SeedingEnd, SeedingLimits } from '../policy/index.ts';
import type { TorrentNews } from '../transfer/messages.ts';
import type { TransferListener } from '../transfer/transfer.ts';
import type { WatchNews, WatchOptions } from '../watch/index.ts';
import type { QueueLimits } from './queue.ts';
import type { SessionTransfer } from './transfer-desk.ts';

/** What happens to a torrent of a session; `seeded` is the end of seeding by a limit. */
export type SessionNews = TorrentNews | ({ readonly kind: 'seeded' } & SeedingEnd);

/** What a session needs, and how it is to behave. */
export interface SessionOptions {
  readonly data: DataFolder;
  /** Starts the transfer threads; the session stops them. */
  readonly start: (listener: TransferListener) => Promise<SessionTransfer>;
  /** Missing ones are `QUEUE_LIMITS`. */
  readonly limits?: Partial<QueueLimits>;
  /** When torrents stop seeding; missing fields are no limit. */
  readonly seeding?: Partial<SeedingLimits>;
  /** Folders that torrents are added from. */
  readonly watch?: readonly WatchOptions[];
  readonly onWatch?: (news: WatchNews) => void;
  /** Hears of everything that happens to torrents. */
  readonly onNews?: (torrent: string, news: SessionNews) => void;
  /** The transfer thread died, or the disk refuses what is to be remembered. */
  readonly onTrouble: (failure: Error) => void;
}
