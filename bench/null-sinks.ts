/** Ways to verify and write a full piece, for the null client: in this thread or off it. */
import { hash, webcrypto } from 'node:crypto';
import { write, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** The names `--hash` and `--write` take. `worker` hashing also writes in the worker. */
export type HashVariant = 'inline' | 'worker' | 'subtle';
/** `none` drops the piece after hashing: the network's and hash's cost alone. */
export type WriteVariant = 'sync' | 'async' | 'none';

/** One full piece, in a slab that may be longer than it. */
export interface FullPiece {
  readonly slab: Buffer;
  readonly lengthBytes: number;
  readonly offset: number;
  readonly sha1: Uint8Array;
}

/** Verifies and writes a piece, then calls `done`; a wrong hash ends the process. */
export type Sink = (piece: FullPiece, done: () => void) => void;

/** The sink for the given variants, writing to the open file `fd`. */
export function makeSink(fd: number, variant: { hash: HashVariant; write: WriteVariant }): Sink {
  if (variant.hash === 'worker') return workerSink(fd, variant.write);
  const store = variant.write === 'async' ? asyncStore(fd) : syncStore(fd, variant.write);
  if (variant.hash === 'subtle') {
    return (piece, done) => {
      webcrypto.subtle
        .digest('SHA-1', new Uint8Array(piece.slab.buffer, 0, piece.lengthBytes))
        .then((digest) => {
          check(Buffer.from(digest), piece);
          store(piece, done);
        });
    };
  }
  return (piece, done) => {
    check(hash('sha1', piece.slab.subarray(0, piece.lengthBytes), 'buffer'), piece);
    store(piece, done);
  };
}

function check(digest: Buffer, piece: FullPiece): void {
  if (!digest.equals(piece.sha1)) throw new Error(`wrong hash at offset ${piece.offset}`);
}

function syncStore(fd: number, variant: WriteVariant): Sink {
  return (piece, done) => {
    if (variant !== 'none') writeSync(fd, piece.slab, 0, piece.lengthBytes, piece.offset);
    done();
  };
}

function asyncStore(fd: number): Sink {
  return (piece, done) => {
    write(fd, piece.slab, 0, piece.lengthBytes, piece.offset, (error) => {
      if (error) throw error;
      done();
    });
  };
}

/** Hashes in one worker thread over shared slabs; the worker writes too, unless `none`. */
function workerSink(fd: number, variant: WriteVariant): Sink {
  const source = `
    const { parentPort } = require('node:worker_threads');
    const { hash } = require('node:crypto');
    const { writeSync } = require('node:fs');
    parentPort.on('message', ({ id, buffer, lengthBytes, offset, sha1 }) => {
      const bytes = Buffer.from(buffer, 0, lengthBytes);
      if (!hash('sha1', bytes, 'buffer').equals(sha1)) throw new Error('wrong hash');
      if (${variant !== 'none'}) writeSync(${fd}, bytes, 0, lengthBytes, offset);
      parentPort.postMessage(id);
    });`;
  const worker = new Worker(source, { eval: true });
  const pending = new Map<number, () => void>();
  let nextId = 0;
  worker.on('message', (id: number) => {
    const done = pending.get(id);
    pending.delete(id);
    done?.();
  });
  return ({ slab, lengthBytes, offset, sha1 }, done) => {
    pending.set(nextId, done);
    worker.postMessage({ id: nextId, buffer: slab.buffer, lengthBytes, offset, sha1 });
    nextId += 1;
  };
}
