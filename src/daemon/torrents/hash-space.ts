/** Hashes the piece space of a planned torrent, reading the next piece while one is hashed. */
import { FileLayout, nodeHasher, sha256 } from '../../platform/disk/index.ts';
import { concatBytes } from '../../units/index.ts';
import {
  type FileTree,
  fileTree,
  hashBlocks,
  type MetainfoFile,
  type TorrentHashes,
  type TorrentPlan,
} from '../../wire/index.ts';
import { SpaceReader } from './space-reader.ts';

/** How hashing is followed and stopped. */
export interface HashingOptions {
  readonly onProgress?: (hashedBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Where the planned files lie: the plan's name may differ from that on disk. */
export interface SpaceOnDisk {
  readonly plan: TorrentPlan;
  readonly parent: string;
  readonly nameOnDisk: string;
}

/** The hashes that the plan's version wants. */
export async function hashSpace(
  space: SpaceOnDisk,
  options: HashingOptions = {},
): Promise<TorrentHashes> {
  const { plan } = space;
  const reader = new SpaceReader(layoutOf(space));
  const sha1s = plan.version === 'v2' ? null : new Uint8Array(plan.pieceCount * 20);
  const blocks = plan.version === 'v1' ? null : new BlockHashes(plan.files);
  const buffers = [pieceBuffer(plan), pieceBuffer(plan)];
  const readPiece = (index: number): Promise<Uint8Array> => {
    const offset = index * plan.pieceLengthBytes;
    const length = Math.min(plan.pieceLengthBytes, plan.totalBytes - offset);
    const view = (buffers[index % 2] ?? pieceBuffer(plan)).subarray(0, length);
    const reading = reader.read(offset, view).then(() => view);
    // Looked at one piece later; until then a failure is not unhandled.
    reading.catch(() => {});
    return reading;
  };
  try {
    let next = readPiece(0);
    for (let index = 0; index < plan.pieceCount; index++) {
      options.signal?.throwIfAborted();
      const view = await next;
      if (index + 1 < plan.pieceCount) next = readPiece(index + 1);
      sha1s?.set(nodeHasher.sha1(view), index * 20);
      blocks?.add(index * plan.pieceLengthBytes, view);
      options.onProgress?.(index * plan.pieceLengthBytes + view.length, plan.totalBytes);
    }
    await next;
  } finally {
    await reader.close();
  }
  return {
    ...(sha1s ? { pieceHashesV1: sha1s } : {}),
    ...(blocks ? { trees: blocks.trees(plan.pieceLengthBytes) } : {}),
  };
}

function layoutOf({ plan, parent, nameOnDisk }: SpaceOnDisk): FileLayout {
  const files = plan.files.map((file) => ({ ...file, path: [nameOnDisk, ...file.path.slice(1)] }));
  return new FileLayout(parent, files);
}

function pieceBuffer(plan: TorrentPlan): Uint8Array {
  return new Uint8Array(Math.min(plan.pieceLengthBytes, plan.totalBytes));
}

/** SHA-256 of each 16 KiB block, file by file. In v2 no piece holds parts of two files. */
class BlockHashes {
  readonly #files: readonly MetainfoFile[];
  readonly #hashes: Uint8Array[][];
  #at = 0;

  constructor(files: readonly MetainfoFile[]) {
    this.#files = files;
    this.#hashes = files.map(() => []);
  }

  /** Takes the piece at `offset`. Pieces come in order. */
  add(offset: number, view: Uint8Array): void {
    for (let file = this.#files[this.#at]; file; file = this.#files[++this.#at]) {
      const end = file.offsetBytes + file.lengthBytes;
      if (file.isPad || end <= offset) continue;
      const length = Math.min(view.length, end - offset);
      this.#hashes[this.#at]?.push(hashBlocks(view.subarray(0, length), sha256));
      return;
    }
  }

  trees(pieceLengthBytes: number): readonly (FileTree | null)[] {
    return this.#hashes.map((parts) =>
      parts.length === 0 ? null : fileTree(concatBytes(...parts), pieceLengthBytes, sha256),
    );
  }
}
