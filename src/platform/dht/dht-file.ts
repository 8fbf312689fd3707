/** Our id and the nodes we knew, kept over restarts: joining again takes seconds, not minutes. */
import fs from 'node:fs/promises';
import type { SavedDht } from '../../discovery/index.ts';
import { concatBytes } from '../../units/index.ts';
import { decodeNodes, encodeNodes, type Family, NODE_ID_BYTES } from '../../wire/index.ts';
import { writeWhole } from '../disk/index.ts';

/** The form on disk; another version is ignored. */
const VERSION = 1;

/** Nodes kept per family; a full table has some 150. */
const NODES_MAX = 400;

/** One family: its id, then compact nodes, in base64. */
interface Record {
  readonly version: number;
  readonly v4?: string;
  readonly v6?: string;
}

/** Writes the file whole or not at all. Throws `PlatformError`. */
export async function saveDhtFile(path: string, saved: readonly SavedDht[]): Promise<void> {
  const record: { version: number; v4?: string; v6?: string } = { version: VERSION };
  for (const { family, localId, contacts } of saved) {
    const nodes = encodeNodes(contacts.slice(-NODES_MAX), family);
    record[`v${family}`] = Buffer.from(concatBytes(localId, nodes)).toString('base64');
  }
  await writeWhole(path, JSON.stringify(record), { mode: 0o600 });
}

/** What was kept; nothing when there is no file or it cannot be read. */
export async function loadDhtFile(path: string): Promise<readonly SavedDht[]> {
  const text = await fs.readFile(path, 'utf8').catch(() => null);
  const record = text === null ? null : parse(text);
  if (record?.version !== VERSION) return [];
  return ([4, 6] as const).flatMap((family) => read(record[`v${family}`], family) ?? []);
}

function read(text: string | undefined, family: Family): SavedDht | null {
  if (typeof text !== 'string') return null;
  const view = new Uint8Array(Buffer.from(text, 'base64'));
  if (view.length < NODE_ID_BYTES) return null;
  const contacts = decodeNodes(view.subarray(NODE_ID_BYTES), family, NODES_MAX);
  return { family, localId: view.slice(0, NODE_ID_BYTES), contacts };
}

function parse(text: string): Record | null {
  try {
    return JSON.parse(text) as Record;
  } catch {
    return null;
  }
}
