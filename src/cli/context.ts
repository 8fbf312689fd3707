/** What every command is given: where to write, and how it is told to stop. */
import { readTorrentSource, type TorrentSource } from '../daemon/index.ts';
import type { Output } from './output.ts';
import { type StopReason, StopRequest } from './stop-request.ts';

/** Exit codes by how a command was stopped, as shells count: 128 and the signal's number. */
const STOP_CODES: Readonly<Record<StopReason, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGPIPE: 141,
  SIGTERM: 143,
};

/** One run of the command line. */
export class Context {
  readonly output: Output;
  /** What the process ends with when the command returns. */
  exitCode = 0;
  /** The torrent file at hand: named when it turns out to be none. */
  torrentPath: string | null = null;
  #stop: StopRequest | null = null;

  constructor(output: Output) {
    this.output = output;
  }

  /**
   * Catches Ctrl-C and its like from now on; commands that never ask are ended at once by the
   * system. A second Ctrl-C ends the process whatever it is doing.
   */
  catchStop(): StopRequest {
    if (this.#stop) return this.#stop;
    const stop = new StopRequest((reason) => process.exit(STOP_CODES[reason]));
    this.output.onBroken = () => stop.request('SIGPIPE');
    this.#stop = stop;
    return stop;
  }

  /** Reads the torrent file or link that the command is about. Throws DAEMON_FILE_UNREADABLE. */
  async readTorrent(text: string): Promise<TorrentSource> {
    const source = await readTorrentSource(text);
    this.torrentPath = source.kind === 'metainfo' ? text : null;
    return source;
  }

  /** The exit code for having been stopped; null when nobody asked for it. */
  get stopCode(): number | null {
    const reason = this.#stop?.reason;
    return reason ? STOP_CODES[reason] : null;
  }
}
