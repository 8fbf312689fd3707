/** Moves a torrent that is at rest to another folder; a kill at any moment loses nothing. */
import {
  FileLayout,
  type FileMove,
  finishMove,
  makeResume,
  movesBetween,
  partsPathOf,
  piecesOf,
  type ResumeRecord,
  type ResumeTarget,
  stageMove,
} from '../../platform/disk/index.ts';
import { Bitfield } from '../../units/index.ts';
import type { InfoDict } from '../../wire/index.ts';

/** A torrent, and the folders that hold its first path element: the old and the new. */
export interface Relocation {
  readonly key: string;
  readonly info: InfoDict;
  readonly from: string;
  readonly to: string;
}

/** How a relocation is recorded and stopped. */
export interface RelocationOptions {
  /** The record of the old place. */
  readonly resume: ResumeRecord | null;
  /** Everything is at the new place, too: must be durable when this resolves. */
  readonly commit: (resume: ResumeRecord) => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Moves the files and returns the resume record of the new place. Until `commit` the old place is
 * whole, from then on the new one. Throws `PlatformError`: before `commit` nothing has changed.
 */
export async function relocate(
  relocation: Relocation,
  { resume, commit, signal }: RelocationOptions,
): Promise<ResumeRecord> {
  const have = resume && (await piecesOf(resume, targetAt(relocation, relocation.from)));
  const moves = movesOf(relocation);
  const copies = await stageMove(moves, signal);
  await commit(await recordAt(relocation, have));
  await finishMove(moves, relocation.from, copies);
  return recordAt(relocation, have);
}

/** Goes on where a kill has ended `relocate` after its `commit`. May be repeated. */
export async function finishRelocation(relocation: Relocation): Promise<void> {
  await finishMove(movesOf(relocation), relocation.from);
}

function movesOf(relocation: Relocation): readonly FileMove[] {
  const { from, to } = relocation;
  return movesBetween(targetAt(relocation, from).layout, targetAt(relocation, to).layout);
}

/** A record of the new place; one that is not believed when the old one was not. */
async function recordAt(relocation: Relocation, have: Bitfield | null): Promise<ResumeRecord> {
  const target = targetAt(relocation, relocation.to);
  if (have) return makeResume(target, have, false);
  return { ...(await makeResume(target, new Bitfield(target.pieceCount), false)), files: [] };
}

function targetAt({ key, info }: Relocation, root: string): ResumeTarget {
  const layout = new FileLayout(root, info.files, partsPathOf(root, key));
  return { infoHash: key, layout, pieceCount: info.pieceCount };
}
