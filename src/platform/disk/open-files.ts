/** File descriptors in use, opened when needed and the least recently used closed first. */
import fs from 'node:fs';
import { dirname } from 'node:path';

/** Descriptors kept open per pool: far below the usual limit of 1024 a process. */
const OPEN_MAX = 128;

interface OpenFile {
  readonly fd: number;
  users: number;
}

/** How a file is used. A file opened for writing serves reads, too. */
export type OpenMode = 'read' | 'write';

/** The open files of one torrent. Opening is synchronous: it is rare and does not wait on disks. */
export class OpenFiles {
  readonly #files = new Map<string, OpenFile>();
  readonly #writable = new Set<string>();

  /** A descriptor for `path`, kept open until `release`. Throws the system's error. */
  acquire(path: string, mode: OpenMode): number {
    const key = path;
    const known = this.#files.get(key);
    if (known && (mode === 'read' || this.#writable.has(key))) {
      known.users++;
      this.#files.delete(key);
      this.#files.set(key, known);
      return known.fd;
    }
    if (known) this.#close(key, known);
    const fd = mode === 'read' ? fs.openSync(path, 'r') : openForWriting(path);
    if (mode === 'write') this.#writable.add(key);
    this.#files.set(key, { fd, users: 1 });
    this.#evict();
    return fd;
  }

  release(path: string): void {
    const file = this.#files.get(path);
    if (file) file.users--;
  }

  /** Closes everything; pending operations finish with an error of the system. */
  closeAll(): void {
    for (const [path, file] of this.#files) this.#close(path, file);
  }

  #evict(): void {
    for (const [path, file] of this.#files) {
      if (this.#files.size <= OPEN_MAX) return;
      if (file.users === 0) this.#close(path, file);
    }
  }

  #close(path: string, file: OpenFile): void {
    this.#files.delete(path);
    this.#writable.delete(path);
    fs.closeSync(file.fd);
  }
}

/** Opens without truncating; creates the file and its folders when they are missing. */
function openForWriting(path: string): number {
  const flags = fs.constants.O_RDWR | fs.constants.O_CREAT;
  try {
    return fs.openSync(path, flags, 0o666);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure;
    fs.mkdirSync(dirname(path), { recursive: true });
    return fs.openSync(path, flags, 0o666);
  }
}
