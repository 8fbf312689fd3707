/** Which torrent works on which files: two may read the same ones, one alone may write. */
import { DaemonError } from '../daemon-error.ts';

/** What a torrent does with a file. */
export type FileUse = 'read' | 'write';

interface Holder {
  readonly name: string;
  use: FileUse;
}

/** The files of the torrents at work in one transfer thread, by absolute path. */
export class FileClaims {
  readonly #holders = new Map<string, Map<string, Holder>>();
  readonly #paths = new Map<string, readonly string[]>();

  /**
   * Claims files for a torrent, in place of what it held. Throws DAEMON_FILE_IN_USE when another
   * torrent writes one of them, or works with one that is to be written; then nothing is claimed.
   */
  take(
    torrent: { readonly key: string; readonly name: string },
    files: ReadonlyMap<string, FileUse>,
  ): void {
    const { key, name } = torrent;
    this.release(key);
    for (const [path, use] of files) {
      for (const other of this.#holders.get(path)?.values() ?? []) {
        if (use === 'write' || other.use === 'write') throw inUse(path, other);
      }
    }
    this.#paths.set(key, [...files.keys()]);
    for (const [path, use] of files) {
      const holders = this.#holders.get(path) ?? new Map<string, Holder>();
      holders.set(key, { name, use });
      this.#holders.set(path, holders);
    }
  }

  /** The torrent is complete: it writes no more. */
  settle(key: string): void {
    for (const path of this.#paths.get(key) ?? []) {
      const mine = this.#holders.get(path)?.get(key);
      if (mine) mine.use = 'read';
    }
  }

  /** The torrent lets go of its files. */
  release(key: string): void {
    for (const path of this.#paths.get(key) ?? []) {
      const holders = this.#holders.get(path);
      holders?.delete(key);
      if (holders?.size === 0) this.#holders.delete(path);
    }
    this.#paths.delete(key);
  }
}

function inUse(path: string, { name, use }: Holder): DaemonError {
  const advice =
    use === 'write'
      ? `${name}, which is downloading it: add this torrent again when that is complete`
      : `${name}, and this torrent would write other data there: choose another folder`;
  return new DaemonError('DAEMON_FILE_IN_USE', `${path} belongs to ${advice}`, { path });
}
