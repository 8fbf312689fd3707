/**
 * Many downloaders that cost next to nothing, so that a seed can be measured: one process, each
 * client a connection that asks for every piece in an order of its own, reads and counts.
 *
 *   node bench/counting-clients.ts TORRENT --peer HOST:PORT [--count 50] [--depth 128] [--check]
 *
 * Prints {"event":"complete","seconds":S,"firstSeconds":F,"bytes":B}: from the first connection to
 * the last byte of the last client and of the first one to be done. `--check` also proves every
 * piece by its hash, which costs more than all the rest.
 */
import { hash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { type Head, HeaderFramer, handshakeOf, MESSAGE } from './header-framer.ts';
import { BLOCK_BYTES, type Job, pieceLengthOf, readJob } from './torrent-job.ts';

/** One for all sockets of the process: each read is used up before the next one. */
const READ_BYTES = 256 << 10;
const REQUEST_BYTES = 17;
const PIECE_OVERHEAD_BYTES = 9;

/** Keeps the blocks of pieces under way and checks each piece that is whole. */
class PieceCheck {
  readonly #job: Job;
  readonly #open = new Map<number, { readonly bytes: Buffer; missing: number }>();

  constructor(job: Job) {
    this.#job = job;
  }

  put(piece: number, offset: number, bytes: Buffer): void {
    const length = pieceLengthOf(this.#job, piece);
    const entry = this.#open.get(piece) ?? { bytes: Buffer.alloc(length), missing: length };
    this.#open.set(piece, entry);
    bytes.copy(entry.bytes, offset);
    entry.missing -= bytes.length;
    if (entry.missing > 0) return;
    this.#open.delete(piece);
    const sha1 = this.#job.hashes.subarray(piece * 20, piece * 20 + 20);
    if (!hash('sha1', entry.bytes, 'buffer').equals(sha1)) throw new Error(`piece ${piece} is bad`);
  }
}

/** One downloader. */
class CountingClient {
  receivedBytes = 0;
  readonly #job: Job;
  readonly #depth: number;
  readonly #order: readonly number[];
  readonly #onDone: () => void;
  #socket: Socket | null = null;
  #isUnchoked = false;
  #nextPiece = 0;
  #nextOffset = 0;
  #outstanding = 0;

  constructor(job: Job, options: { readonly depth: number; readonly onDone: () => void }) {
    this.#job = job;
    this.#depth = options.depth;
    this.#onDone = options.onDone;
    this.#order = shuffled(job.pieceCount);
  }

  start(peer: string, buffer: Buffer): void {
    const [host = '', port = ''] = peer.split(':');
    const check = values.check ? new PieceCheck(this.#job) : null;
    const framer = new HeaderFramer({
      onHandshake: () => {},
      onMessage: (head) => this.#onMessage(head),
      ...(check && {
        onPayload: (head: Head, bytes: Buffer, offset: number) =>
          check.put(head.index, offset, bytes),
      }),
    });
    const callback = (length: number): boolean => {
      framer.take(length, buffer);
      this.#request();
      return true;
    };
    const socket = connect({
      host,
      port: Number(port),
      noDelay: true,
      onread: { buffer, callback },
    });
    this.#socket = socket;
    socket.on('error', (error) => {
      throw error;
    });
    socket.on('close', () => {
      if (this.receivedBytes < this.#job.totalBytes) throw new Error('the seed hung up');
    });
    socket.write(handshakeOf(this.#job.infoHash, '-CC0001-', randomBytes(12)));
    socket.write(Buffer.from([0, 0, 0, 1, MESSAGE.interested]));
  }

  #onMessage(head: Head): void {
    if (head.id === MESSAGE.unchoke) this.#isUnchoked = true;
    else if (head.id === MESSAGE.choke && this.#isUnchoked) throw new Error('it was choked again');
    else if (head.id === MESSAGE.piece) this.#count(head.messageBytes - PIECE_OVERHEAD_BYTES);
  }

  #count(byteCount: number): void {
    this.#outstanding--;
    this.receivedBytes += byteCount;
    if (this.receivedBytes !== this.#job.totalBytes) return;
    this.#socket?.destroy();
    this.#onDone();
  }

  /** Fills the pipeline up once a quarter of it is free. */
  #request(): void {
    const room = this.#depth - this.#outstanding;
    if (!this.#isUnchoked || room < this.#depth >> 2) return;
    const messages = Buffer.allocUnsafe(room * REQUEST_BYTES);
    let used = 0;
    for (
      let piece = this.#order[this.#nextPiece];
      piece !== undefined && used < messages.length;
    ) {
      const pieceBytes = pieceLengthOf(this.#job, piece);
      const length = Math.min(BLOCK_BYTES, pieceBytes - this.#nextOffset);
      messages.writeUInt32BE(13, used);
      messages[used + 4] = MESSAGE.request;
      messages.writeUInt32BE(piece, used + 5);
      messages.writeUInt32BE(this.#nextOffset, used + 9);
      messages.writeUInt32BE(length, used + 13);
      used += REQUEST_BYTES;
      this.#outstanding++;
      this.#nextOffset += length;
      if (this.#nextOffset < pieceBytes) continue;
      this.#nextOffset = 0;
      this.#nextPiece++;
      piece = this.#order[this.#nextPiece];
    }
    if (used > 0) this.#socket?.write(messages.subarray(0, used));
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string', default: '' },
    count: { type: 'string', default: '50' },
    depth: { type: 'string', default: '128' },
    check: { type: 'boolean', default: false },
  },
});
const job = readJob(positionals[0] ?? '');
const count = Number(values.count);
const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
const started = performance.now();
let firstSeconds = 0;
let doneCount = 0;
for (let nth = 0; nth < count; nth++) {
  new CountingClient(job, { depth: Number(values.depth), onDone }).start(values.peer, buffer);
}

function onDone(): void {
  const seconds = (performance.now() - started) / 1000;
  doneCount++;
  if (doneCount === 1) firstSeconds = seconds;
  if (doneCount < count) return;
  const bytes = count * job.totalBytes;
  console.log(JSON.stringify({ event: 'complete', seconds, firstSeconds, bytes }));
}

function shuffled(length: number): readonly number[] {
  const order = Array.from({ length }, (_, at) => at);
  for (let at = length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order;
}
