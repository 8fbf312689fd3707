/** Temporary folders, random files and their digests for tests that cross process borders. */
import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';

/** A folder of its own; removed by `await using` or `dispose`. */
export interface TempFolder extends AsyncDisposable {
  readonly path: string;
  dispose(): Promise<void>;
}

const REMOVAL = { recursive: true, force: true, maxRetries: 5 } as const;

/** Not yet removed. A process that leaves early still gives their memory back. */
const folders = new Set<string>();
process.once('exit', () => {
  for (const path of folders) rmSync(path, REMOVAL);
});

/** Makes a fresh folder, in memory (`/dev/shm`) where there is such, else in the temp folder. */
export async function makeTempFolder(label: string): Promise<TempFolder> {
  const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const path = await mkdtemp(join(parent, `bidwidth-${label}-`));
  folders.add(path);
  const dispose = async (): Promise<void> => {
    await rm(path, REMOVAL);
    folders.delete(path);
  };
  return { path, dispose, [Symbol.asyncDispose]: dispose };
}

/** Writes `lengthBytes` random bytes to `path`, making its folders; 0 makes an empty file. */
export async function writeRandomFile(path: string, lengthBytes: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const chunk = Buffer.allocUnsafe(Math.min(lengthBytes, 4 << 20));
  const file = openSync(path, 'w');
  for (let done = 0; done < lengthBytes; done += chunk.length) {
    randomFillSync(chunk);
    writeSync(file, chunk, 0, Math.min(chunk.length, lengthBytes - done));
  }
  closeSync(file);
}

/** SHA-256 of a file's content, as hex. */
export function sha256OfFile(path: string): string {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, 'r');
  for (let got = readSync(file, chunk); got > 0; got = readSync(file, chunk)) {
    hash.update(chunk.subarray(0, got));
  }
  closeSync(file);
  return hash.digest('hex');
}

/** One file below a root: its path with `/` between the parts, and its length. */
export interface FileEntry {
  readonly path: string;
  readonly lengthBytes: number;
}

/** Every regular file below `root`, sorted by path. */
export async function listFiles(root: string): Promise<readonly FileEntry[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sized = files.map(async (entry) => {
    const absolute = join(entry.parentPath, entry.name);
    const path = relative(root, absolute).split(sep).join('/');
    return { path, lengthBytes: (await stat(absolute)).size };
  });
  const listed = await Promise.all(sized);
  return listed.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What lies below `path` (a file or a folder) as `relative path → SHA-256`, to compare. */
export async function digestTree(path: string): Promise<Readonly<Record<string, string>>> {
  if ((await stat(path)).isFile()) return { '': sha256OfFile(path) };
  const files = await listFiles(path);
  return Object.fromEntries(files.map((file) => [file.path, sha256OfFile(join(path, file.path))]));
}
