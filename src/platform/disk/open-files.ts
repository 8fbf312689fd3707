/** File descriptors in use, opened when needed and the least recently used closed first. */
import fs from 'node:fs';
import { dirname } from 'node:path';

/** Descriptors kept open per pool: far below the usual limit of 1024 a process. */
const OPEN_MAX = 128;

/** An open file on loan. */
export interface OpenFile {
  readonly fd: number;
}

interface Entry extends OpenFile {
  readonly isWritable: boolean;
  users: number;
  /** Another descriptor took its place; it is closed when its last user is done. */
  isRetired: boolean;
}

/** How a file is used. A file opened for writing serves reads, too. */
export type OpenMode = 'read' | 'write';

/** The open files of one torrent. Opening is synchronous: it is rare and does not wait on disks. */
export class OpenFiles {
  readonly #files = new Map<string, Entry>();

  /** A descriptor for `path`, open until it is given to `release`. Throws the system's error. */
  acquire(path: string, mode: OpenMode): OpenFile {
    const known = this.#files.get(path);
    if (known && (mode === 'read' || known.isWritable)) {
      known.users++;
      this.#files.delete(path);
      this.#files.set(path, known);
      return known;
    }
    const isWritable = mode === 'write';
    const fd = isWritable ? openForWriting(path) : fs.openSync(path, 'r');
    if (known) this.#retire(path, known);
    const entry: Entry = { fd, isWritable, users: 1, isRetired: false };
    this.#files.set(path, entry);
    this.#evict();
    return entry;
  }

  release(file: OpenFile): void {
    const entry = file as Entry;
    entry.users--;
    if (entry.isRetired && entry.users === 0) fs.closeSync(entry.fd);
    else this.#evict();
  }

  /** The file at `path` is gone or another one: it is opened anew when it is needed. */
  forget(path: string): void {
    const entry = this.#files.get(path);
    if (entry) this.#retire(path, entry);
  }

  /** Closes everything that is not in use; the rest is closed when it is released. */
  closeAll(): void {
    for (const [path, entry] of this.#files) this.#retire(path, entry);
  }

  #evict(): void {
    if (this.#files.size <= OPEN_MAX) return;
    for (const [path, entry] of this.#files) {
      if (this.#files.size <= OPEN_MAX) return;
      if (entry.users === 0) this.#retire(path, entry);
    }
  }

  #retire(path: string, entry: Entry): void {
    this.#files.delete(path);
    entry.isRetired = true;
    if (entry.users === 0) fs.closeSync(entry.fd);
  }
}

/** Opens without truncating; creates the file and its folders when they are missing. */
function openForWriting(path: string): number {
  const flags = fs.constants.O_RDWR | fs.constants.O_CREAT;
  try {
    return fs.openSync(path, flags, 0o666);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure;
    makeFolder(dirname(path));
    return fs.openSync(path, flags, 0o666);
  }
}

/** On a read-only disk Node says that the folder is missing; what is above it tells the reason. */
function makeFolder(path: string): void {
  try {
    fs.mkdirSync(path, { recursive: true });
  } catch (failure) {
    let above = dirname(path);
    while (!fs.existsSync(above) && above !== dirname(above)) above = dirname(above);
    fs.accessSync(above, fs.constants.W_OK);
    throw failure;
  }
}
