/**
 * A virtual machine may hand freed pages back to its host (free page reporting), and touching one
 * anew costs 16 µs: four times what a download takes for it. Whoever ran when the last fresh page
 * was gone was slow, at 290 MiB/s. So before each run as much is touched and freed as it may write.
 */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempFolder } from '../test/support/files.ts';

const PART: Uint8Array = new Uint8Array(16 * 2 ** 20);
/** What processes take besides. */
const SPARE_BYTES = 2 ** 29;

/** Touches and frees `sizeBytes` of memory, and what a process may need. */
export async function warmMemory(sizeBytes: number): Promise<void> {
  await using folder = await makeTempFolder('bench-warm');
  const path = join(folder.path, 'pages');
  const file = openSync(path, 'w');
  for (let at = 0; at < sizeBytes + SPARE_BYTES; at += PART.length) writeSync(file, PART);
  closeSync(file);
  rmSync(path);
}
