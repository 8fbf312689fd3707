/** Writing a .torrent file from a plan and its hashes: v1 (BEP 3), v2 (BEP 52) or hybrid. */
import { assert, fromHex, type UnixSeconds } from '../../units/index.ts';
import { type Bencodable, bencodeKey, encodeBencode, RawBencode } from '../bencode/encode.ts';
import { encodeUtf8 } from '../bencode/utf8.ts';
import { type FileTree, MERKLE_HASH_BYTES } from './merkle.ts';
import type { DhtNode, InfoDict, MetainfoFile } from './metainfo.ts';
import type { TorrentPlan } from './plan.ts';

/** What hashing the planned piece space gave. */
export interface TorrentHashes {
  /** 20 bytes a piece, pads hashed as zeros. For v1 and hybrid. */
  readonly pieceHashesV1?: Uint8Array;
  /** One entry for each planned file, null for pads and empty files. For v2 and hybrid. */
  readonly trees?: readonly (FileTree | null)[];
}

/** What a torrent says beside its files. */
export interface TorrentExtras {
  readonly trackers?: readonly (readonly string[])[];
  readonly webSeeds?: readonly string[];
  readonly nodes?: readonly DhtNode[];
  readonly isPrivate?: boolean;
  readonly comment?: string;
  readonly createdBy?: string;
  readonly creationDate?: UnixSeconds;
}

/** The bytes of the .torrent file. Hashes that do not fit the plan fail an assertion. */
export function encodeMetainfo(
  plan: TorrentPlan,
  hashes: TorrentHashes,
  extras: TorrentExtras = {},
): Uint8Array {
  const layers = plan.version === 'v1' ? undefined : pieceLayersOf(hashes);
  return encodeTorrent(infoOf(plan, hashes, extras.isPrivate ?? false), layers, extras);
}

/**
 * The .torrent file around an info dictionary that came from peers, byte for byte, so that a
 * download begun from a magnet link can be kept. `isPrivate` of the extras is not looked at.
 */
export function wrapInfoDict(
  info: InfoDict,
  pieceLayers: ReadonlyMap<string, Uint8Array>,
  extras: TorrentExtras = {},
): Uint8Array {
  const layers = [...pieceLayers].map(
    ([root, layer]) => [bencodeKey(fromHex(root)), layer] as const,
  );
  const hasLayers = info.infoHashV2 !== null;
  return encodeTorrent(
    new RawBencode(info.infoBytes),
    hasLayers ? new Map(layers) : undefined,
    extras,
  );
}

function encodeTorrent(
  info: Bencodable,
  layers: Bencodable | undefined,
  extras: TorrentExtras,
): Uint8Array {
  const trackers = (extras.trackers ?? []).filter((tier) => tier.length > 0);
  const isSingleTracker = trackers.length === 1 && trackers[0]?.length === 1;
  const { webSeeds = [], nodes = [] } = extras;
  return encodeBencode({
    announce: trackers[0]?.[0],
    'announce-list': trackers.length === 0 || isSingleTracker ? undefined : trackers,
    comment: extras.comment,
    'created by': extras.createdBy,
    'creation date': extras.creationDate,
    info,
    nodes: nodes.length === 0 ? undefined : nodes.map(({ host, port }) => [host, port]),
    'piece layers': layers,
    'url-list': webSeeds.length === 0 ? undefined : webSeeds,
  });
}

function infoOf(plan: TorrentPlan, hashes: TorrentHashes, isPrivate: boolean): Bencodable {
  const hasV1 = plan.version !== 'v2';
  const hasV2 = plan.version !== 'v1';
  const [first] = plan.files;
  const isSingle = first?.path.length === 1;
  return {
    'file tree': hasV2 ? fileTreeOf(plan, hashes) : undefined,
    files: hasV1 && !isSingle ? plan.files.map(fileEntryOf) : undefined,
    length: hasV1 && isSingle ? first.lengthBytes : undefined,
    'meta version': hasV2 ? 2 : undefined,
    name: plan.name,
    'piece length': plan.pieceLengthBytes,
    pieces: hasV1 ? piecesOf(plan, hashes) : undefined,
    private: isPrivate ? 1 : undefined,
  };
}

function fileEntryOf(file: MetainfoFile): Bencodable {
  return { attr: attributesOf(file), length: file.lengthBytes, path: file.path.slice(1) };
}

function attributesOf(file: MetainfoFile): string | undefined {
  return `${file.isPad ? 'p' : ''}${file.isExecutable ? 'x' : ''}` || undefined;
}

function piecesOf(plan: TorrentPlan, { pieceHashesV1 }: TorrentHashes): Uint8Array {
  assert(pieceHashesV1?.length === plan.pieceCount * 20, 'SHA-1 hashes do not fit the plan');
  return pieceHashesV1;
}

type TreeNode = Map<string, Bencodable>;

function fileTreeOf(plan: TorrentPlan, { trees }: TorrentHashes): Bencodable {
  assert(trees?.length === plan.files.length, 'Merkle trees do not fit the plan');
  const root: TreeNode = new Map();
  const nodes = new Map<string, TreeNode>([['', root]]);
  for (const [index, file] of plan.files.entries()) {
    if (file.isPad) continue;
    const path = file.path.length === 1 ? file.path : file.path.slice(1);
    const tree = trees[index];
    assert(file.lengthBytes === 0 || tree != null, `${file.path.join('/')} has no tree`);
    const leaf = {
      attr: attributesOf(file),
      length: file.lengthBytes,
      'pieces root': file.lengthBytes > 0 ? tree?.root : undefined,
    };
    growTree(nodes, path).set('', leaf);
  }
  return root;
}

function growTree(nodes: Map<string, TreeNode>, path: readonly string[]): TreeNode {
  const key = path.join('/');
  let node = nodes.get(key);
  if (node === undefined) {
    node = new Map();
    nodes.set(key, node);
    growTree(nodes, path.slice(0, -1)).set(bencodeKey(encodeUtf8(path.at(-1) ?? '')), node);
  }
  return node;
}

function pieceLayersOf({ trees }: TorrentHashes): Bencodable {
  const layers = new Map<string, Uint8Array>();
  for (const tree of trees ?? []) {
    if (tree === null || tree.pieceLayer.length === 0) continue;
    assert(tree.root.length === MERKLE_HASH_BYTES, 'a root is 32 bytes');
    layers.set(bencodeKey(tree.root), tree.pieceLayer);
  }
  return layers;
}
