/**
 * The file that is moved: one of the user's, or random bytes that nothing can compress or guess.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Writes `size` random bytes to `path`. */
export async function makeRandomFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'w');
  for (let done = 0; done < size; done += CHUNK_BYTES) {
    await file.write(randomBytes(Math.min(CHUNK_BYTES, size - done)));
  }
  await file.close();
}

/** Puts a copy of the user's file at `path`: the demo never works in the user's folders. */
export async function takeFile(from: string, path: string): Promise<void> {
  await copyFile(from, path);
}

/** SHA-256 of a file in hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk as Uint8Array);
  }
  return hash.digest('hex');
}
