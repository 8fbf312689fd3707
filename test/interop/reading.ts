/** What we read from a torrent beside what libtorrent 2.0.8 read, and where we mean to differ. */
import { nodeHasher, sha256 } from '../../src/platform/disk/index.ts';
import { toHex } from '../../src/units/index.ts';
import {
  type Metainfo,
  type MetainfoFile,
  parseMetainfo,
  WireError,
} from '../../src/wire/index.ts';
import { torrentFacts } from '../support/torrent-facts.ts';

/** What `libtorrent_read.py` says of a torrent. */
export interface TheirReading {
  /** Why it refuses. */
  readonly error?: string;
  /** Missing when it accepts a torrent whose strings it cannot tell. */
  readonly files?: readonly TheirFile[];
  readonly [fact: string]: unknown;
}

interface TheirFacts {
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly files: readonly TheirFile[];
  readonly nodes: readonly (readonly [host: string, port: number])[];
  readonly [fact: string]: unknown;
}

interface TheirFile {
  readonly path: string;
  readonly pad: boolean;
  /** Null for a link to itself, which is how libtorrent says that it leads nowhere. */
  readonly link: string | null;
  readonly isLink: boolean;
}

/**
 * What we refuse and 2.0.8 does not: piece layers that its own tests refuse, and a version that
 * only looks like 2 in 32 bits.
 */
const STRICTER =
  /piece layer (?:belongs to none of the files|does not lead to its root)|version is \d{10}/;

/** A number that libtorrent put into a name, and what follows it. */
const NUMBERED = /\.\d+(\.[^./]*)?$/;

/** One line for each fact that is not the same. */
export function differences(bytes: Uint8Array, theirs: TheirReading): readonly string[] {
  const ours = readOurs(bytes);
  if (typeof ours === 'string') {
    const isWanted = theirs.error !== undefined || STRICTER.test(ours);
    return isWanted ? [] : [`we refuse (${ours}), libtorrent does not`];
  }
  if (theirs.error !== undefined) return [`libtorrent refuses (${theirs.error}), we do not`];
  if (!isWhole(theirs)) return [];
  const real = theirs.files.filter((file) => !file.pad);
  // It calls a file at the top whose name is nothing like the torrent, outside its directory; and
  // a torrent that begins with a pad file without a path `.pad`.
  const isNameless =
    theirs['name'] === '.pad' || (real.length > 1 && real.some(({ path }) => !path.includes('/')));
  // A file is numbered after links were looked at; ours follow it, and theirs cannot be told from
  // links to themselves any more.
  const isVague =
    isNameless ||
    theirs.files.some(({ path, link }) => link === path.replace(NUMBERED, '$1')) ||
    theirs.files.some(({ link }) => link !== null && !leads(theirs.files, link));
  return compare('', ours, comparable(theirs)).filter(
    (line) =>
      !(isNameless && /^\/(?:name|files\/\d+\/path)/.test(line)) &&
      !(isVague && /^\/files\/\d+\/link/.test(line)) &&
      !/^\/files\/\d+\/path: we "[^/]*\/_", libtorrent "[^/]*"$/.test(line),
  );
}

function isWhole(theirs: TheirReading): theirs is TheirReading & TheirFacts {
  return theirs.files !== undefined;
}

/** Without what is left open: spelling of URLs and pads, and where links to nowhere point. */
function comparable(theirs: TheirFacts): Readonly<Record<string, unknown>> {
  const isSingle = theirs.files.filter((file) => !file.pad).length === 1;
  const trackers = theirs.trackers
    .map((tier) => tier.map((url) => url.trim()).filter((url) => url !== ''))
    .map((tier) => tier.sort())
    .filter((tier) => tier.length > 0);
  const files = theirs.files.map(({ isLink, ...file }) => ({
    ...file,
    path: file.pad ? '' : file.path.replace(/\/$/, ''),
    link: leads(theirs.files, file.link) ? file.link : null,
  }));
  const nodes = theirs.nodes.filter(([host, port]) => host !== '' && port > 0 && port < 65536);
  const webSeeds = plainUrls(theirs.webSeeds, isSingle);
  const [comment, createdBy] = [brokenAside(theirs['comment']), brokenAside(theirs['createdBy'])];
  const creationDate = Number.isSafeInteger(theirs['creationDate']) ? theirs['creationDate'] : 0;

  return { ...theirs, trackers, webSeeds, files, nodes, creationDate, comment, createdBy };
}

/** Whether a link ends at a file or directory. */
function leads(files: readonly TheirFile[], link: string | null): boolean {
  let path = link ?? '';
  for (let hops = 0; hops < 40; hops++) {
    const at = files.find((file) => file.isLink && isBelow(path, file.path));
    if (at === undefined) return files.some((file) => isBelow(file.path, path));
    if (at.link === null) return false;
    path = `${at.link}${path.slice(at.path.length)}`;
  }
  return false;
}

/** Whether a path is another or below it. */
function isBelow(path: string, directory: string): boolean {
  return `${path}/`.startsWith(`${directory}/`);
}

/** URLs with nothing escaped, each byte a character; of one file without the slash at the end. */
function plainUrls(urls: readonly string[], isSingle: boolean): readonly string[] {
  const plain = urls
    .map((url) => unescapeAll(Buffer.from(url.trim()).toString('latin1')))
    .map((url) => url.replace(/[ /]+$/, isSingle ? '' : '/'));
  return [...new Set(plain.filter((url) => url !== '' && url !== '/'))];
}

/** Text with what stands for broken UTF-8 the same for both. */
function brokenAside(text: unknown): string {
  return String(text).replaceAll('\ufffd', '_');
}

function unescapeAll(url: string): string {
  const plain = url.replace(/%[0-9a-f]{2}/gi, (code) =>
    String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  );
  return plain === url ? plain : unescapeAll(plain);
}

function compare(name: string, ours: unknown, theirs: unknown): readonly string[] {
  if (isRecord(ours) && isRecord(theirs)) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
    return [...keys].flatMap((key) => compare(`${name}/${key}`, ours[key], theirs[key]));
  }
  return ours === theirs ? [] : [`${name}: we ${told(ours)}, libtorrent ${told(theirs)}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function told(value: unknown): string {
  return `${JSON.stringify(value)}`;
}

function readOurs(bytes: Uint8Array): Readonly<Record<string, unknown>> | string {
  try {
    return summarise(parseMetainfo(bytes, { sha1: nodeHasher.sha1, sha256 }));
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

function summarise(torrent: Metainfo): Readonly<Record<string, unknown>> {
  return {
    ...torrentFacts(torrent),
    files: torrent.files.map(summariseFile),
    trackers: torrent.trackers.map((tier) => [...tier].sort()),
    webSeeds: plainUrls(torrent.webSeeds, torrent.files.filter((file) => !file.isPad).length === 1),
    nodes: torrent.nodes.map(({ host, port }) => [host, port]),
    comment: brokenAside(torrent.comment ?? ''),
    createdBy: brokenAside(torrent.createdBy ?? ''),
    creationDate: torrent.creationDate ?? 0,
    similar: torrent.similar.map(toHex),
    collections: torrent.collections,
  };
}

function summariseFile(file: MetainfoFile): Readonly<Record<string, unknown>> {
  return {
    path: file.isPad ? '' : file.path.join('/'),
    length: file.lengthBytes,
    offset: file.offsetBytes,
    pad: file.isPad,
    hidden: file.isHidden,
    executable: file.isExecutable,
    link: file.symlinkTarget?.join('/') ?? null,
    root: file.piecesRoot && toHex(file.piecesRoot),
  };
}
