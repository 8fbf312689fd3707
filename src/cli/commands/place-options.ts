/** Where a command's torrent is, by its options and by what is remembered of it. */
import { resolve } from 'node:path';
import { DataFolder, type TorrentSource } from '../../daemon/index.ts';
import type { CommandPlace } from '../../daemon/places/index.ts';
import type { FileRename } from '../file-choice.ts';

/** As commander collects them. */
export interface PlaceOptions {
  readonly to: string;
  readonly dataDir: string;
  readonly moveTo?: string;
  readonly rename?: readonly FileRename[];
}

/** Gives files their names and finishes what was interrupted; nothing else works on them yet. */
export async function placeOf(
  source: TorrentSource,
  { to, moveTo, rename, dataDir }: PlaceOptions,
): Promise<CommandPlace> {
  const { CommandPlace: Loaded } = await import('../../daemon/places/index.ts');
  return Loaded.prepare({
    source,
    root: resolve(to),
    moveTo: moveTo === undefined ? null : resolve(moveTo),
    names: rename
      ? rename.map(({ number, path }) => ({ file: number === 0 ? 'top' : number - 1, path }))
      : null,
    resumeDir: new DataFolder(dataDir).resume,
  });
}
