/** Moves a torrent that is at rest to another place; a kill at any moment loses nothing. */
import {
  dropLinks,
  type FileMove,
  finishMove,
  makeResume,
  movesBetween,
  piecesOf,
  placeLinks,
  type ResumeRecord,
  stageMove,
} from '../../platform/disk/index.ts';
import { Bitfield } from '../../units/index.ts';
import type { InfoDict } from '../../wire/index.ts';
import { isSamePlace, type Place, targetAt } from './place.ts';

/** A torrent and its old and new place. */
export interface Relocation {
  readonly key: string;
  readonly info: InfoDict;
  readonly from: Place;
  readonly to: Place;
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
 * whole, from then on the new one. Throws `PlatformError`, and DAEMON_FILE_NAME for names that the
 * torrent cannot have: before `commit` nothing has changed.
 */
export async function relocate(
  relocation: Relocation,
  { resume, commit, signal }: RelocationOptions,
): Promise<ResumeRecord> {
  const { key, info, from } = relocation;
  const moves = movesOf(relocation);
  const have = resume && (await piecesOf(resume, targetAt(key, info, from)));
  const copies = await stageMove(moves, signal);
  await commit(await recordAt(relocation, have));
  await finish(relocation, moves, copies);
  return recordAt(relocation, have);
}

/** Goes on where a kill has ended `relocate` after its `commit`. May be repeated. */
export async function finishRelocation(relocation: Relocation): Promise<void> {
  await finish(relocation, movesOf(relocation));
}

/** Links are made anew: they need not be whole at any moment. */
async function finish(
  { key, info, from, to }: Relocation,
  moves: readonly FileMove[],
  copies?: ReadonlySet<string>,
): Promise<void> {
  const links = info.files.some(({ symlinkTarget }) => symlinkTarget !== null);
  if (links && !isSamePlace(from, to)) await dropLinks(targetAt(key, info, from).layout);
  await finishMove(moves, from.root, copies);
  if (links) await placeLinks(targetAt(key, info, to).layout);
}

function movesOf({ key, info, from, to }: Relocation): readonly FileMove[] {
  return movesBetween(targetAt(key, info, from).layout, targetAt(key, info, to).layout);
}

/** A record of the new place; one that is not believed when the old one was not. */
async function recordAt(
  { key, info, to }: Relocation,
  have: Bitfield | null,
): Promise<ResumeRecord> {
  const target = targetAt(key, info, to);
  if (have) return makeResume(target, have, false);
  return { ...(await makeResume(target, new Bitfield(target.pieceCount), false)), files: [] };
}
