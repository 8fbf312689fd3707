/** Names that a user gives to a torrent's files, in place of the torrent's own. */
import { encodeUtf8 } from '../bencode/utf8.ts';
import { sanitizeElement } from './path-element.ts';
import { foldCase } from './path-tree.ts';

/** The whole torrent: its top folder, or its only file. */
export const TOP = 'top';

/** A new path of one file or of the top folder, with `/` between elements. */
export interface FileName {
  /** Counted from 0 in torrent order without padding; or `TOP`. */
  readonly file: number | typeof TOP;
  /** Below the download folder: of a file the whole path, top folder included. */
  readonly path: string;
}

/** What is named, as far as naming it needs it. */
export interface NamedFile {
  readonly path: readonly string[];
  readonly isPad: boolean;
  /** The path it is a link to. */
  readonly symlinkTarget?: readonly string[] | null;
}

/** Files with their new paths, or why they cannot be named so, in one line. */
export type RenameOutcome<T> =
  | { readonly ok: true; readonly files: readonly T[] }
  | { readonly ok: false; readonly problem: string };

/** Names that some system gives to devices, whatever follows the dot. */
const DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?$/i;
/** Part files lie beside the torrents. */
const PART_FILE = /^\.[0-9a-f]{40}\.parts$/i;
/** Windows drops these. */
const BAD_END = /[. ]$/;

/** Gives files their new paths: the top folder first, then single files. Unknown files refuse. */
export function renameFiles<T extends NamedFile>(
  files: readonly T[],
  names: readonly FileName[],
): RenameOutcome<T> {
  const paths = new Map<number, readonly string[]>();
  const known = files.filter(({ isPad }) => !isPad);
  for (const { file, path } of names.toSorted(
    (a, b) => Number(b.file === TOP) - Number(a.file === TOP),
  )) {
    const problem = problemOf(path);
    if (problem !== null) return refuse(`"${path}" cannot be a path: ${problem}`);
    const elements = path.split('/');
    if (file === TOP) {
      for (const [nth, one] of known.entries()) paths.set(nth, [...elements, ...one.path.slice(1)]);
    } else if (file < known.length) {
      paths.set(file, elements);
    } else {
      return refuse(`there is no file ${file + 1}: the torrent has ${known.length}`);
    }
  }
  let nth = 0;
  const renamed = files.map((file) => {
    const path = file.isPad ? undefined : paths.get(nth++);
    return path ? { ...file, path } : file;
  });
  if (names.length > 0) followTargets(files, renamed);
  const taken = collisionOf(renamed);
  return taken === null ? { ok: true, files: renamed } : refuse(`two files would be ${taken}`);
}

/** `names` with one more, which takes the place of an earlier one of the same file. */
export function withName(
  names: readonly FileName[],
  name: FileName,
  top: string,
): readonly FileName[] {
  const others = names.filter(({ file }) => file !== name.file);
  if (name.file !== TOP) return [...others, name];
  // Files that were named one by one stay in their top folder.
  const before = `${names.find(({ file }) => file === TOP)?.path ?? top}/`;
  const moved = others.map(({ file, path }) =>
    path.startsWith(before)
      ? { file, path: `${name.path}/${path.slice(before.length)}` }
      : { file, path },
  );
  return [...moved, name];
}

function problemOf(path: string): string | null {
  for (const element of path.split('/')) {
    if (element === '') return 'an element of it is empty';
    if (element === '.' || element === '..') return `it may not contain "${element}"`;
    if (sanitizeElement(encodeUtf8(element)) !== element) {
      return 'an element is too long or has characters that no file may have';
    }
    if (DEVICE.test(element)) return `"${element}" is the name of a device`;
    if (BAD_END.test(element)) return 'an element ends in a dot or a space';
  }
  return PART_FILE.test(path) ? 'part files are called so' : null;
}

/** A path that two files have, or a file and a folder, whatever the case; null when none is. */
function collisionOf(files: readonly NamedFile[]): string | null {
  const [taken, folders] = [new Set<string>(), new Set<string>()];
  for (const { path, isPad } of files) {
    if (isPad) continue;
    const folded = path.map(foldCase);
    const whole = folded.join('/');
    if (taken.has(whole) || folders.has(whole)) return path.join('/');
    taken.add(whole);
    for (let end = 1; end < folded.length; end++) {
      const folder = folded.slice(0, end).join('/');
      if (taken.has(folder)) return folder;
      folders.add(folder);
    }
  }
  return null;
}

function refuse(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** Links lead to where their targets are now: a folder is where the first of its files went. */
function followTargets<T extends NamedFile>(before: readonly T[], renamed: T[]): void {
  if (before.every(({ symlinkTarget }) => !symlinkTarget)) return;
  const now = new Map<string, readonly string[]>();
  for (const [nth, { path, isPad }] of before.entries()) {
    const to = renamed[nth]?.path;
    if (isPad || !to) continue;
    now.set(path.join('/'), to);
    for (let above = 1; above < Math.min(path.length, to.length); above++) {
      const folder = path.slice(0, -above).join('/');
      const isAlike = path.slice(-above).join('/') === to.slice(-above).join('/');
      if (isAlike && !now.has(folder)) now.set(folder, to.slice(0, -above));
    }
  }
  for (const [nth, file] of renamed.entries()) {
    const to = now.get(file.symlinkTarget?.join('/') ?? '');
    if (to) renamed[nth] = { ...file, symlinkTarget: to };
  }
}
