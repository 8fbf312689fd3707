/**
 * The least a downloader can do, to know how far the engine is from the limit of Node: one peer,
 * pieces in order, one copy into a slab, SHA-1 of the whole piece, one write. No choking logic, no
 * second peer, no resume. Its options are the open questions of the engine's author.
 *
 *   node bench/null-client.ts TORRENT DIR (--peer HOST:PORT | --accept)
 *     [--hash inline|worker|subtle] [--write sync|async|none]
 *     [--buffer BYTES] [--depth N] [--batch N]
 *
 * `--accept` listens instead, prints its port and takes the first connection.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { connect, createServer, Socket, type SocketConstructorOpts } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type HashVariant, makeSink, type Sink, type WriteVariant } from './null-sinks.ts';
import { BLOCK_BYTES, type Job, pieceLengthOf, readJob } from './torrent-job.ts';

const HANDSHAKE_BYTES = 68;
const PIECE_HEADER_BYTES = 13;
const MESSAGE = { unchoke: 1, interested: 2, request: 6, piece: 7 } as const;
/** Slabs between network, hash and disk: at least 32, and enough for the pipeline twice over. */
const SLAB_COUNT_MIN = 32;

interface Pipeline {
  /** Requests outstanding at most. */
  readonly depth: number;
  /** Requests written together at least. */
  readonly batch: number;
  readonly useSharedMemory: boolean;
}

/** Requests pieces in order, keeps their slabs, hands full ones to the sink. */
class Pieces {
  readonly #job: Job;
  readonly #pipeline: Pipeline;
  readonly #sink: Sink;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #free: Buffer[];
  readonly #slabs = new Map<number, { slab: Buffer; missing: number }>();
  #nextPiece = 0;
  #nextOffset = 0;
  #outstanding = 0;
  #stored = 0;

  constructor(job: Job, pipeline: Pipeline, ports: { sink: Sink; send: (b: Uint8Array) => void }) {
    this.#job = job;
    this.#pipeline = pipeline;
    this.#sink = ports.sink;
    this.#send = ports.send;
    const { pieceLengthBytes } = job;
    const needed = Math.ceil((2 * pipeline.depth * BLOCK_BYTES) / pieceLengthBytes);
    this.#free = Array.from({ length: Math.max(SLAB_COUNT_MIN, needed) }, () =>
      pipeline.useSharedMemory
        ? Buffer.from(new SharedArrayBuffer(pieceLengthBytes))
        : Buffer.allocUnsafeSlow(pieceLengthBytes),
    );
  }

  slabOf(piece: number): Buffer {
    const entry = this.#slabs.get(piece);
    if (entry === undefined) throw new Error(`piece ${piece} was not asked for`);
    return entry.slab;
  }

  /** Counts a whole block in; may finish its piece; tops the pipeline up. */
  blockArrived(piece: number, lengthBytes: number): void {
    this.#outstanding -= 1;
    const entry = this.#slabs.get(piece);
    if (entry !== undefined) {
      entry.missing -= lengthBytes;
      if (entry.missing === 0) this.#store(piece, entry.slab);
    }
    if (this.#pipeline.depth - this.#outstanding >= this.#pipeline.batch) this.request();
  }

  /** Writes as many requests as the pipeline and the free slabs have room for, in one go. */
  request(): void {
    const room = this.#pipeline.depth - this.#outstanding;
    const messages = Buffer.allocUnsafe(17 * Math.max(0, room));
    let used = 0;
    while (used < messages.length && this.#nextPiece < this.#job.pieceCount) {
      const pieceLength = pieceLengthOf(this.#job, this.#nextPiece);
      if (this.#nextOffset === 0) {
        const slab = this.#free.pop();
        if (slab === undefined) break;
        this.#slabs.set(this.#nextPiece, { slab, missing: pieceLength });
      }
      const length = Math.min(BLOCK_BYTES, pieceLength - this.#nextOffset);
      messages.writeUInt32BE(13, used);
      messages[used + 4] = MESSAGE.request;
      messages.writeUInt32BE(this.#nextPiece, used + 5);
      messages.writeUInt32BE(this.#nextOffset, used + 9);
      messages.writeUInt32BE(length, used + 13);
      used += 17;
      this.#outstanding += 1;
      this.#nextOffset += length;
      if (this.#nextOffset < pieceLength) continue;
      this.#nextOffset = 0;
      this.#nextPiece += 1;
    }
    if (used > 0) this.#send(messages.subarray(0, used));
  }

  #store(index: number, slab: Buffer): void {
    this.#slabs.delete(index);
    const offset = index * this.#job.pieceLengthBytes;
    const sha1 = this.#job.hashes.subarray(index * 20, index * 20 + 20);
    this.#sink({ slab, lengthBytes: pieceLengthOf(this.#job, index), offset, sha1 }, () => {
      this.#free.push(slab);
      this.#stored += 1;
      if (this.#stored === this.#job.pieceCount) leave();
      if (this.#pipeline.depth - this.#outstanding >= this.#pipeline.batch) this.request();
    });
  }
}

/** Cuts the byte stream into messages, copying payload straight to its slab. */
class Framer {
  readonly #pieces: Pieces;
  readonly #header = Buffer.alloc(HANDSHAKE_BYTES);
  #need = HANDSHAKE_BYTES;
  #have = 0;
  #isHandshaken = false;
  #skip = 0;
  #payload = 0;
  #blockBytes = 0;
  #piece = 0;
  #slab: Buffer = this.#header;
  #slabAt = 0;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  /** Consumes the first `length` bytes of `chunk`, which is reused afterwards. */
  take(length: number, chunk: Buffer): void {
    let at = 0;
    while (at < length) {
      if (this.#payload > 0) {
        const size = Math.min(this.#payload, length - at);
        chunk.copy(this.#slab, this.#slabAt, at, at + size);
        this.#slabAt += size;
        this.#payload -= size;
        at += size;
        if (this.#payload === 0) this.#pieces.blockArrived(this.#piece, this.#blockBytes);
      } else if (this.#skip > 0) {
        const size = Math.min(this.#skip, length - at);
        this.#skip -= size;
        at += size;
      } else if (this.#startsBlock(length, at, chunk)) {
        this.#beginBlock(chunk, at);
        at += PIECE_HEADER_BYTES;
      } else {
        const size = Math.min(this.#need - this.#have, length - at);
        chunk.copy(this.#header, this.#have, at, at + size);
        this.#have += size;
        at += size;
        if (this.#have === this.#need) this.#readHeader();
      }
    }
  }

  /** The usual case: a block's whole header lies in this chunk and is read in place. */
  #startsBlock(length: number, at: number, chunk: Buffer): boolean {
    return (
      this.#isHandshaken &&
      this.#have === 0 &&
      at + PIECE_HEADER_BYTES <= length &&
      chunk[at + 4] === MESSAGE.piece
    );
  }

  #beginBlock(source: Buffer, at: number): void {
    this.#blockBytes = source.readUInt32BE(at) - 9;
    this.#payload = this.#blockBytes;
    this.#piece = source.readUInt32BE(at + 5);
    this.#slabAt = source.readUInt32BE(at + 9);
    this.#slab = this.#pieces.slabOf(this.#piece);
  }

  /** `#header` holds `#need` bytes of one message: acts, or asks for more of its header. */
  #readHeader(): void {
    if (!this.#isHandshaken) {
      this.#isHandshaken = true;
    } else if (this.#need === 4) {
      if (this.#header.readUInt32BE(0) > 0) {
        this.#need = 5;
        return;
      }
    } else if (this.#need === 5 && this.#header[4] === MESSAGE.piece) {
      this.#need = PIECE_HEADER_BYTES;
      return;
    } else if (this.#need === 5) {
      this.#skip = this.#header.readUInt32BE(0) - 1;
      if (this.#header[4] === MESSAGE.unchoke) this.#pieces.request();
    } else {
      this.#beginBlock(this.#header, 0);
    }
    this.#need = 4;
    this.#have = 0;
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string', default: '' },
    hash: { type: 'string', default: 'inline' },
    write: { type: 'string', default: 'sync' },
    buffer: { type: 'string', default: String(256 << 10) },
    depth: { type: 'string', default: '512' },
    batch: { type: 'string', default: '64' },
    accept: { type: 'boolean', default: false },
  },
});
const [torrentPath = '', folder = ''] = positionals;
const job = readJob(torrentPath);
const fd = openSync(join(folder, job.name), 'w');
const sink = makeSink(fd, {
  hash: values.hash as HashVariant,
  write: values.write as WriteVariant,
});
let peer: Socket | null = null;
const pieces = new Pieces(
  job,
  {
    depth: Number(values.depth),
    batch: Number(values.batch),
    useSharedMemory: values.hash === 'worker',
  },
  { sink, send: (bytes) => void peer?.write(bytes) },
);
const framer = new Framer(pieces);
const buffer = Buffer.allocUnsafeSlow(Number(values.buffer));
const onread = {
  buffer,
  callback: (length: number): boolean => {
    framer.take(length, buffer);
    return true;
  },
};
if (values.accept) acceptPeer();
else connectToPeer();

function connectToPeer(): void {
  const [host = '', port = ''] = values.peer.split(':');
  greet(connect({ host, port: Number(port), onread, noDelay: true }));
}

/**
 * `net` takes `onread` only for sockets we construct ourselves: so the handle of an accepted,
 * paused connection moves into a new `Socket`. Node has no public name for this.
 */
function acceptPeer(): void {
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (accepted) => {
    server.close();
    const donor = accepted as unknown as { _handle: object | null };
    const handle = donor._handle;
    donor._handle = null;
    accepted.destroy();
    greet(new Socket({ handle, onread } as SocketConstructorOpts));
  });
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify(server.address())));
}

/** Handshake (BEP 3) without extensions, then `interested`. */
function greet(socket: Socket): void {
  peer = socket;
  socket.on('error', (error) => {
    throw error;
  });
  const peerId = Buffer.concat([Buffer.from('-NL0001-'), randomBytes(12)]);
  const greeting = Buffer.from('\x13BitTorrent protocol\0\0\0\0\0\0\0\0', 'latin1');
  const interested = Buffer.from([0, 0, 0, 1, MESSAGE.interested]);
  socket.write(Buffer.concat([greeting, job.infoHash, peerId, interested]));
}

function leave(): void {
  closeSync(fd);
  process.exit(0);
}
