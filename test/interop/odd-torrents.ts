/**
 * Torrents of every kind with something odd about them: names, attributes, links, keys that are
 * missing, twice or of another type, lengths that do not fit. One number makes each again.
 */
import { createHash } from 'node:crypto';
import { fileTree, hashBlocks } from '../../src/wire/index.ts';
import { type SeededRandom, seededRandom } from '../support/random.ts';
import { type Choose, type Odd, OddDict, spoil } from './odd-bencode.ts';
import { LINKS, NAMES, ODD_NAMES } from './odd-words.ts';

const BLOCK = 16_384;
const LENGTHS = [0, 1, 10, 16383, BLOCK, 16385, 20000, 32768, 40000, 65536, 65537, 200000];

/** A file before it is written down: elements with a character per byte. */
interface OddFile {
  readonly path: readonly string[];
  readonly length: number;
  readonly attr: string | null;
  readonly link: readonly string[] | null;
}

/** A torrent and what was done to it, for messages. */
export interface OddTorrent {
  readonly bytes: Uint8Array;
  readonly changes: readonly string[];
}

/** The torrent of `seed`. */
export function oddTorrent(seed: number): OddTorrent {
  const random = seededRandom(seed);
  const choose: Choose = (list) => random.pick(list.map((item) => [item, 1]));
  const maker = new TorrentMaker(random, choose);
  const torrent = maker.make();
  const changes: string[] = [];
  const count = choose([0, 0, 1, 1, 1, 2, 3]);
  for (let at = 0; at < count; at++) changes.push(spoil(torrent, random, choose));
  if (random.next() < 0.7) refit(torrent);
  return { bytes: torrent.encode(), changes };
}

class TorrentMaker {
  readonly #random: SeededRandom;
  readonly #choose: Choose;
  readonly #oddity: number;

  constructor(random: SeededRandom, choose: Choose) {
    this.#random = random;
    this.#choose = choose;
    this.#oddity = choose([0, 0.05, 0.3, 0.6]);
  }

  make(): OddDict {
    const version = this.#choose(['v1', 'v1', 'v2', 'hybrid', 'hybrid']);
    const pieceLength = this.#choose([BLOCK, BLOCK, 2 * BLOCK, 4 * BLOCK]);
    const info = OddDict.of({ name: this.#name(), 'piece length': pieceLength });
    const outside = OddDict.of({ info });
    if (version === 'v1') this.#addV1(info, this.#files());
    else {
      const files = this.#addV2(outside, info, pieceLength);
      if (version === 'hybrid') this.#addHybrid(info, files, pieceLength);
    }
    refit(outside);
    this.#addLinks(outside, info);
    return outside;
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }

  #name(): string {
    return this.#choose(this.#chance(this.#oddity) ? ODD_NAMES : NAMES);
  }

  #path(): string[] {
    return Array.from({ length: this.#choose([1, 1, 2, 3]) }, () => this.#name());
  }

  #files(): OddFile[] {
    const files: OddFile[] = [];
    for (let left = this.#choose([1, 1, 2, 3, 5, 8]); left > 0; left--) {
      const attr = this.#chance(0.3)
        ? this.#choose(['x', 'h', 'l', 'l', 'xh', 'lx', '?', ''])
        : null;
      const isLink = attr?.includes('l') === true;
      const target =
        this.#chance(0.7) && files.length > 0 ? this.#choose(files).path : this.#path();
      const cut = this.#chance(0.3) ? target.slice(0, -1) : target;
      files.push({
        path: this.#path(),
        length: isLink && this.#chance(0.7) ? 0 : this.#choose(LENGTHS),
        attr,
        link: isLink && this.#chance(0.8) ? cut : null,
      });
    }
    return files;
  }

  #addV1(info: OddDict, files: readonly OddFile[]): void {
    const [first] = files;
    if (first !== undefined && this.#chance(0.25)) {
      info.set('length', first.length);
      if (this.#chance(0.2)) describe(info, first);
      return;
    }
    const list: Odd[] = [];
    for (const file of files) {
      list.push(entryOf(file));
      if (this.#chance(0.15)) list.push(this.#pad(this.#choose(LENGTHS)));
    }
    info.set('files', list);
  }

  #pad(length: number): OddDict {
    const pad = OddDict.of({ attr: 'p', length });
    const path = this.#choose([['.pad', `${length}`], ['.pad', `${length}`], ['.pad', '0'], null]);
    if (path !== null) pad.set('path', path);
    return pad;
  }

  /** The files of the tree in its order. */
  #addV2(outside: OddDict, info: OddDict, pieceLength: number): readonly OddFile[] {
    const tree = new OddDict();
    const layers = new OddDict();
    const leaves = new Map<Odd, OddFile>();
    for (const file of this.#files()) {
      const leaf = OddDict.of({ length: file.length });
      describe(leaf, file);
      const made = file.length > 0 ? zerosTree(file.length, pieceLength) : null;
      if (made !== null) leaf.set('pieces root', made.root);
      if (!grow(tree, file.path, leaf)) continue;
      leaves.set(leaf, file);
      if (made !== null && made.pieceLayer.length > 0 && this.#chance(0.95)) {
        layers.set(Buffer.from(made.root).toString('latin1'), made.pieceLayer);
      }
    }
    info.set('meta version', 2);
    info.set('file tree', tree);
    if (this.#chance(0.95)) outside.set('piece layers', layers);
    return [...filesIn(tree, leaves)];
  }

  #addHybrid(info: OddDict, files: readonly OddFile[], pieceLength: number): void {
    const [only] = files;
    if (files.length === 1 && only?.path.length === 1 && this.#chance(0.7)) {
      info.set('length', only.length);
      info.set('name', only.path[0] ?? '');
      return;
    }
    const list: Odd[] = [];
    const isTailPadded = this.#chance(0.5);
    for (const [index, file] of files.entries()) {
      list.push(entryOf(file));
      const over = isLinkOf(file) ? 0 : file.length % pieceLength;
      if (over > 0 && (isTailPadded || index < files.length - 1)) {
        list.push(this.#pad(pieceLength - over));
      }
    }
    info.set('files', list);
  }

  #addLinks(outside: OddDict, info: OddDict): void {
    const some = (): Odd[] => {
      return Array.from({ length: this.#choose([0, 1, 2, 4]) }, () => this.#choose(LINKS));
    };
    if (this.#chance(0.4)) outside.set('announce', this.#choose(LINKS));
    if (this.#chance(0.3)) outside.set('announce-list', [some(), some(), some()]);
    if (this.#chance(0.4))
      outside.set('url-list', this.#chance(0.5) ? some() : this.#choose(LINKS));
    if (this.#chance(0.1))
      outside.set('nodes', [
        ['router', 80],
        ['127.0.0.1', 6881],
      ]);
    if (this.#chance(0.1)) outside.set('comment', 'about');
    if (this.#chance(0.1)) outside.set('created by', 'us');
    if (this.#chance(0.1)) outside.set('creation date', this.#choose([0, 5, -1, 2 ** 40]));
    if (this.#chance(0.1)) info.set('private', this.#choose([0, 1, 1, 2, -1]));
    const where = this.#choose([outside, info]);
    if (this.#chance(0.1)) where.set('similar', ['s'.repeat(20), 'short']);
    if (this.#chance(0.1)) where.set('collections', ['c', '', 'd']);
  }
}

function isLinkOf(file: OddFile): boolean {
  return file.attr?.includes('l') === true;
}

function describe(dict: OddDict, { attr, link }: OddFile): void {
  if (attr !== null) dict.set('attr', attr);
  if (link !== null) dict.set('symlink path', [...link]);
}

function entryOf(file: OddFile): OddDict {
  const entry = OddDict.of({ length: file.length, path: [...file.path] });
  describe(entry, file);
  return entry;
}

/** Puts a leaf into the tree; false where a file or directory is in its way. */
function grow(tree: OddDict, path: readonly string[], leaf: OddDict): boolean {
  let node = tree;
  for (const [index, element] of path.entries()) {
    const child = node.get(element);
    if (!(child instanceof OddDict)) {
      const made = new OddDict();
      node.set(element, made);
      node = made;
    } else if (index === path.length - 1 || child.get('') !== undefined) {
      return false;
    } else {
      node = child;
    }
  }
  node.set('', leaf);
  return true;
}

function* filesIn(tree: OddDict, leaves: ReadonlyMap<Odd, OddFile>): Generator<OddFile> {
  for (const [, node] of tree.entries) {
    const file = leaves.get(node);
    if (file !== undefined) yield file;
    else if (node instanceof OddDict) yield* filesIn(node, leaves);
  }
}

const trees = new Map<string, ReturnType<typeof fileTree>>();

function zerosTree(length: number, pieceLength: number): ReturnType<typeof fileTree> {
  const key = `${length}/${pieceLength}`;
  const known = trees.get(key);
  if (known !== undefined) return known;
  const sha256 = (view: Uint8Array): Uint8Array =>
    new Uint8Array(createHash('sha256').update(view).digest());
  const made = fileTree(hashBlocks(new Uint8Array(length), sha256), pieceLength, sha256);
  trees.set(key, made);
  return made;
}

/** Gives a torrent with v1 files as many piece hashes as they need. */
function refit(torrent: OddDict): void {
  const info = torrent.get('info');
  if (!(info instanceof OddDict)) return;
  const files = info.get('files');
  const entries = Array.isArray(files) ? files : info.get('length') === undefined ? [] : [info];
  const pieceLength = Number(info.get('piece length'));
  const total = entries.reduce<number>((sum, entry) => sum + roomOf(entry), 0);
  const pieces = Math.ceil(total / pieceLength);
  if (entries.length === 0 || !(pieces >= 0 && pieces < 100)) return;
  info.set('pieces', 'h'.repeat(20 * pieces));
}

function roomOf(entry: Odd): number {
  if (!(entry instanceof OddDict)) return 0;
  const attr = entry.get('attr');
  if (typeof attr === 'string' && attr.includes('l')) return 0;
  return Math.max(Number(entry.get('length') ?? 0), 0);
}
