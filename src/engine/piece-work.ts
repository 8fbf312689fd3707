/** What a torrent has once its metadata is known: its pieces, and how they come to be here. */
import type { Bitfield, Random } from '../units/index.ts';
import { isTrusted } from './blame.ts';
import { PieceGeometry, type TorrentContent } from './content.ts';
import { PieceFlow, type PieceFlowEvents } from './piece-flow.ts';
import { PiecePicker } from './piece-picker.ts';
import type { Hasher, PieceStore } from './ports.ts';
import { Selection } from './selection.ts';
import type { SlabPool } from './slab-pool.ts';
import type { Taker } from './taker.ts';
import { type HashesDeps, TorrentHashes } from './torrent-hashes.ts';

/** What was asked for before there were pieces. */
export interface EarlyWishes {
  /** One level per piece; null is the usual one for all. */
  readonly levels: Uint8Array | null;
  readonly isSequential: boolean;
}

/** What pieces need. */
export interface PieceWorkDeps {
  readonly hasher: Hasher;
  readonly slabs: SlabPool;
  readonly random: Random;
  readonly engine: HashesDeps['engine'];
  /** Those who can be asked, by their keys. */
  readonly peers: ReadonlyMap<number, { readonly download: Source }>;
  readonly events: PieceFlowEvents & Pick<HashesDeps, 'onLayers'>;
}

/** A peer that can be asked, and whose word can be weighed. */
type Source = Taker & { readonly verifiedBytes: number };

/** A torrent's files, in the store's hands. */
export interface StoredContent {
  readonly content: TorrentContent;
  /** What is on disk and known to be right. */
  readonly have: Bitfield;
  readonly store: PieceStore;
}

/** See the head of this file. A torrent that begins again gets another. */
export class PieceWork {
  readonly content: TorrentContent;
  readonly geometry: PieceGeometry;
  readonly have: Bitfield;
  readonly store: PieceStore;
  readonly selection: Selection;
  readonly picker: PiecePicker;
  readonly flow: PieceFlow;
  /** Null in a v1 torrent. */
  readonly hashes: TorrentHashes | null;
  readonly #peers: PieceWorkDeps['peers'];

  constructor({ content, have, store }: StoredContent, wishes: EarlyWishes, deps: PieceWorkDeps) {
    const { slabs, random, peers, events } = deps;
    this.content = content;
    this.geometry = new PieceGeometry(content);
    this.have = have;
    this.store = store;
    this.#peers = peers;
    this.selection = new Selection(this.geometry, have, wishes.levels);
    const onLayers = events.onLayers;
    const hashes = content.hashedFiles ? new TorrentHashes(content, { ...deps, onLayers }) : null;
    const needsLayers = hashes?.wishForLayers() && hashes.isV2Only;
    const isReady = (piece: number): boolean => hashes?.trees.isKnown(piece) ?? true;
    this.picker = new PiecePicker(this.geometry, this.selection, {
      ...{ slabs, random, takers: () => this.takers() },
      mayIsolate: (peerKey) => isTrusted(peerKey, peers),
      ...(needsLayers ? { isReady } : {}),
    });
    this.picker.isSequential = wishes.isSequential;
    this.hashes = hashes;
    this.flow = new PieceFlow(content, this, { hasher: deps.hasher, hashes, events });
  }

  /** How far it is: all of it is here, all that is wanted, or neither. */
  get phase(): 'seeding' | 'finished' | 'downloading' {
    if (this.selection.missingCount > 0) return 'downloading';
    return this.have.isComplete ? 'seeding' : 'finished';
  }

  /** Of all pieces, wanted or not, what is not here, in bytes. */
  get missingBytes(): number {
    return this.geometry.totalBytes - this.selection.hereBytes;
  }

  /** All who can be asked for blocks. */
  *takers(): Iterable<Taker> {
    for (const peer of this.#peers.values()) yield peer.download;
  }
}
