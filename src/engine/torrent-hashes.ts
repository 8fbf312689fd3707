/** A v2 or hybrid torrent's hashes: what is known of them, and what peers are asked for. */
import type { Sha256 } from '../wire/index.ts';
import type { TorrentContent } from './content.ts';
import { HashCollector } from './hash-collector.ts';
import { HashTrees, type PlacedPiece } from './hash-trees.ts';
import { type TimeSource, wishForBlocks, wishForLayer } from './hash-wishes.ts';
import type { Hasher } from './ports.ts';

/** What hashes need. */
export interface HashesDeps {
  readonly hasher: Hasher;
  readonly engine: TimeSource;
  /** All piece layers are known now that were missing: by root in hex. */
  readonly onLayers: (layers: ReadonlyMap<string, Uint8Array>) => void;
}

/** One torrent's. */
export class TorrentHashes {
  readonly trees: HashTrees;
  readonly collector: HashCollector = new HashCollector();
  readonly hasher: Hasher;
  /** There are no v1 hashes: every peer knows v2. */
  readonly isV2Only: boolean;
  readonly #deps: HashesDeps;

  constructor(content: TorrentContent, deps: HashesDeps) {
    const sha256: Sha256 = (view) => deps.hasher.sha256(view);
    this.trees = new HashTrees(content.hashedFiles ?? [], content.pieceLengthBytes, sha256);
    this.hasher = deps.hasher;
    this.isV2Only = content.pieceHashes === null;
    this.#deps = deps;
  }

  /** Asks for the piece layers that are not known. True when there are such. */
  wishForLayers(): boolean {
    const missing = this.trees.missing;
    let count = missing.length;
    for (const tree of missing) {
      const done = (layer: Uint8Array): void => {
        this.trees.setLayer(tree.file.root, layer);
        if (--count === 0) this.#deps.onLayers(this.trees.layers);
      };
      wishForLayer(tree, { collector: this.collector, engine: this.#deps.engine }, done);
    }
    return missing.length > 0;
  }

  /** Asks for the hashes of a piece's blocks; `done` gets null when nobody tells in time. */
  wishForBlocks(
    place: PlacedPiece,
    givers: ReadonlySet<number>,
    done: (hashes: Uint8Array | null) => void,
  ): void {
    const target = { collector: this.collector, engine: this.#deps.engine };
    wishForBlocks({ ...place, givers, done }, target);
  }
}
