/** Which files of a torrent to download, as people write it: by the numbers `info` prints. */
import { InvalidArgumentError } from 'commander';

/** The largest number a file can have: more files no torrent is read with. */
const NUMBER_MAX = 1_000_000;

/** A file that is wanted and nothing more is said of. */
const USUAL = 4;

/** Numbers and ranges from 1, such as `1,3-5`; in ascending order, each once. */
export function readFileList(text: string): readonly number[] {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,7})\s*(?:-\s*(\d{1,7})\s*)?$/.exec(part);
    const first = Number(match?.[1]);
    const last = match?.[2] === undefined ? first : Number(match[2]);
    if (!(first >= 1 && first <= last && last <= NUMBER_MAX)) {
      throw new InvalidArgumentError('Use numbers and ranges, like 1,3-5: `info` lists the files.');
    }
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}

/** A file's number from 1 and how much it is wanted. */
export interface FilePriority {
  readonly number: number;
  /** 0 is not wanted, 4 is usual, 7 comes first. */
  readonly level: number;
}

/** `NUMBER=LEVEL`, the level from 0 to 7; collects repeated options. */
export function readFilePriority(
  text: string,
  before: readonly FilePriority[] = [],
): readonly FilePriority[] {
  const match = /^(\d{1,7})=([0-7])$/.exec(text);
  const number = Number(match?.[1]);
  if (number >= 1 && number <= NUMBER_MAX)
    return [...before, { number, level: Number(match?.[2]) }];
  throw new InvalidArgumentError('Use NUMBER=LEVEL with a level from 0 to 7, like 2=7.');
}

/** A file's number from 1, 0 for the top folder, and its new path. */
export interface FileRename {
  readonly number: number;
  readonly path: string;
}

/** `NUMBER=PATH`; collects repeated options. The path is checked when the files are known. */
export function readFileRename(
  text: string,
  before: readonly FileRename[] = [],
): readonly FileRename[] {
  const match = /^(\d{1,7})=(.+)$/s.exec(text);
  const number = Number(match?.[1]);
  if (match && number <= NUMBER_MAX) {
    const others = before.filter((one) => one.number !== number);
    return [...others, { number, path: match[2] ?? '' }];
  }
  throw new InvalidArgumentError('Use NUMBER=PATH, like 2=film/part 2.mkv; 0 is the top folder.');
}

/** What a person chose; without a word, all files are wanted, or those a magnet link names. */
export interface FileChoice {
  /** Nothing else is downloaded. */
  readonly select?: readonly number[];
  /** Stands above `select`. */
  readonly priority?: readonly FilePriority[];
}

/** The choice as a transfer takes it: a level per file, and one for all files after those. */
export function prioritiesOf({ select, priority = [] }: FileChoice): {
  readonly filePriorities?: readonly number[];
  readonly otherFilesPriority?: number;
} {
  if (!select && priority.length === 0) return {};
  const otherFilesPriority = select ? 0 : USUAL;
  const named = [...(select ?? []), ...priority.map(({ number }) => number)];
  const levels = Array<number>(named.reduce((most, number) => Math.max(most, number), 0));
  levels.fill(otherFilesPriority);
  for (const number of select ?? []) levels[number - 1] = USUAL;
  for (const { number, level } of priority) levels[number - 1] = level;
  return { filePriorities: levels, otherFilesPriority };
}
