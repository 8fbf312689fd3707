/**
 * Thousands of peers in one process, as many as a busy node has, each doing little.
 *
 *   light-peers.ts takers|givers TORRENT --peer HOST:PORT [--count 2000]
 *
 * Takers have half of the pieces, are interested, keep four requests open while they are unchoked,
 * and say now and then that they got another piece. Givers have nine of ten pieces and unchoke at
 * once; each answers a request every second and a half, about 11 KiB/s. All blocks are zeros.
 * Prints {"event":"connected"} when all have shaken hands, then {"event":"moved","bytes":B} each
 * second.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { type Head, HeaderFramer, handshakeOf, MESSAGE } from '../header-framer.ts';
import { BLOCK_BYTES, type Job, pieceLengthOf, readJob } from '../torrent-job.ts';

const DEPTH = 4;
/** Connections opened per step: a listening queue is 511 long. */
const OPENED_PER_STEP = 50;
const STEP_MS = 25;
/** One round of all peers: givers answer once, takers tell of a piece once in four rounds. */
const ROUND_MS = 1_500;
const ROUNDS_PER_HAVE = 4;
const HAVE = 4;
const PIECE_OVERHEAD_BYTES = 9;
/** Answers that a node does not read are not piled up. */
const AHEAD_BYTES = 64 << 10;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string', default: '' },
    count: { type: 'string', default: '2000' },
  },
});
const [role, torrentPath = ''] = positionals;
if (role !== 'takers' && role !== 'givers') throw new Error('takers or givers?');
const job = readJob(torrentPath);
/** One for all sockets: each read is used up before the next one. */
const buffer = Buffer.allocUnsafe(64 << 10);
const zeros = Buffer.alloc(BLOCK_BYTES);
let movedBytes = 0;
let connectedCount = 0;

/** One of the thousands. */
class LightPeer {
  readonly #job: Job;
  readonly #socket: Socket;
  readonly #requests: Head[] = [];
  #isUnchoked = false;
  #outstanding = 0;

  constructor(of: Job, port: number) {
    this.#job = of;
    const framer = new HeaderFramer({
      onHandshake: () => {
        connectedCount++;
        this.#greet();
      },
      onMessage: (head) => this.#onMessage(head),
    });
    const callback = (length: number): boolean => {
      framer.take(length, buffer);
      return true;
    };
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer, callback },
    });
    this.#socket.on('error', (error) => {
      throw error;
    });
    this.#socket.on('close', () => {
      throw new Error('the node hung up');
    });
    this.#socket.write(handshakeOf(of.infoHash, '-LP0001-', randomBytes(12)));
  }

  /** Once in a round. */
  turn(round: number): void {
    if (role === 'givers') {
      const request = this.#requests.shift();
      if (request && this.#socket.writableLength < AHEAD_BYTES) this.#answer(request);
    } else if (round % ROUNDS_PER_HAVE === 0) {
      this.#socket.write(message(HAVE, this.#anyPiece()));
    }
  }

  #greet(): void {
    const share = role === 'givers' ? 0.9 : 0.5;
    const bits = Buffer.alloc(Math.ceil(this.#job.pieceCount / 8));
    for (let piece = 0; piece < this.#job.pieceCount; piece++) {
      const bit = 0x80 >> (piece & 7);
      if (Math.random() < share) bits.writeUInt8(bits.readUInt8(piece >> 3) | bit, piece >> 3);
    }
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bits.length + 1, 0);
    head.writeUInt8(MESSAGE.bitfield, 4);
    const last = role === 'givers' ? MESSAGE.unchoke : MESSAGE.interested;
    this.#socket.write(Buffer.concat([head, bits, message(last)]));
  }

  #onMessage(head: Head): void {
    switch (head.id) {
      case MESSAGE.unchoke:
        this.#isUnchoked = true;
        this.#outstanding = 0;
        this.#ask();
        break;
      case MESSAGE.choke:
        this.#isUnchoked = false;
        break;
      case MESSAGE.request:
        this.#requests.push(head);
        break;
      case MESSAGE.piece:
        movedBytes += head.messageBytes - PIECE_OVERHEAD_BYTES;
        this.#outstanding--;
        this.#ask();
        break;
    }
  }

  #ask(): void {
    while (this.#isUnchoked && this.#outstanding < DEPTH) {
      this.#outstanding++;
      const piece = this.#anyPiece();
      const blocks = Math.floor(pieceLengthOf(this.#job, piece) / BLOCK_BYTES);
      const begin = Math.floor(Math.random() * blocks) * BLOCK_BYTES;
      this.#socket.write(message(MESSAGE.request, piece, begin, BLOCK_BYTES));
    }
  }

  #answer({ index, begin, length }: Head): void {
    const head = Buffer.alloc(13);
    head.writeUInt32BE(length + PIECE_OVERHEAD_BYTES, 0);
    head.writeUInt8(MESSAGE.piece, 4);
    head.writeUInt32BE(index, 5);
    head.writeUInt32BE(begin, 9);
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(zeros.subarray(0, length));
    this.#socket.uncork();
    movedBytes += length;
  }

  #anyPiece(): number {
    return Math.floor(Math.random() * this.#job.pieceCount);
  }
}

function message(id: number, ...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(5 + 4 * numbers.length);
  bytes.writeUInt32BE(bytes.length - 4, 0);
  bytes.writeUInt8(id, 4);
  for (const [nth, number] of numbers.entries()) bytes.writeUInt32BE(number, 5 + 4 * nth);
  return bytes;
}

const peers: LightPeer[] = [];
const port = Number(values.peer.split(':')[1]);
const count = Number(values.count);
const opening = setInterval(() => {
  for (let nth = 0; nth < OPENED_PER_STEP && peers.length < count; nth++) {
    peers.push(new LightPeer(job, port));
  }
  if (connectedCount < count) return;
  clearInterval(opening);
  console.log(JSON.stringify({ event: 'connected', count }));
}, STEP_MS);

let step = 0;
setInterval(() => {
  const steps = ROUND_MS / STEP_MS;
  for (let nth = step % steps; nth < peers.length; nth += steps) {
    peers[nth]?.turn(Math.floor(step / steps) + nth);
  }
  step++;
}, STEP_MS);
setInterval(() => {
  console.log(JSON.stringify({ event: 'moved', bytes: movedBytes }));
}, 1_000);
