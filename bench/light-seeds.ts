/**
 * Many seeds that cost next to nothing, so that a downloader can be measured against a swarm on two
 * cores: one process, the content in memory, each seed a port of its own that unchokes whoever is
 * interested and answers requests in order. No extensions, no limits, no bookkeeping.
 *
 *   node bench/light-seeds.ts TORRENT FILE [--count 30]
 *
 * Prints {"event":"listening","ports":[…]}.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { type Head, HeaderFramer, handshakeOf, MESSAGE } from './header-framer.ts';
import { readJob } from './torrent-job.ts';

/** Handed to a socket at most before it drains. */
const AHEAD_BYTES = 1 << 20;
const PIECE_HEAD_BYTES = 13;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '30' } },
});
const [torrentPath = '', contentPath = ''] = positionals;
const job = readJob(torrentPath);
const content = readWhole(contentPath);
const servers = Array.from({ length: Number(values.count) }, () => createServer(serve));
const ports = await Promise.all(servers.map(listen));
console.log(JSON.stringify({ event: 'listening', ports }));

/** Answers one downloader until it leaves. */
function serve(socket: Socket): void {
  const queue: Head[] = [];
  const pump = (): void => {
    socket.cork();
    while (socket.writableLength < AHEAD_BYTES) {
      const request = queue.shift();
      if (request === undefined) break;
      sendBlock(socket, request);
    }
    socket.uncork();
  };
  const framer = new HeaderFramer({
    onHandshake: () => {
      socket.write(handshakeOf(job.infoHash, '-LS0001-', randomBytes(12)));
      socket.write(wholeBitfield());
    },
    onMessage: (head) => {
      if (head.id === MESSAGE.interested) socket.write(Buffer.from([0, 0, 0, 1, MESSAGE.unchoke]));
      else if (head.id === MESSAGE.request) queue.push(head);
      else if (head.id === MESSAGE.cancel) cancel(queue, head);
    },
  });
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    framer.take(chunk.length, chunk);
    pump();
  });
  socket.on('drain', pump);
  // A downloader that has everything just leaves.
  socket.on('error', () => socket.destroy());
}

function sendBlock(socket: Socket, { index, begin, length }: Head): void {
  const header = Buffer.allocUnsafe(PIECE_HEAD_BYTES);
  header.writeUInt32BE(9 + length, 0);
  header[4] = MESSAGE.piece;
  header.writeUInt32BE(index, 5);
  header.writeUInt32BE(begin, 9);
  const start = index * job.pieceLengthBytes + begin;
  socket.write(header);
  socket.write(content.subarray(start, start + length));
}

function cancel(queue: Head[], { index, begin }: Head): void {
  const at = queue.findIndex((one) => one.index === index && one.begin === begin);
  if (at >= 0) queue.splice(at, 1);
}

function wholeBitfield(): Buffer {
  const bits = Buffer.alloc(Math.ceil(job.pieceCount / 8), 0xff);
  const spare = bits.length * 8 - job.pieceCount;
  bits[bits.length - 1] = (0xff << spare) & 0xff;
  const header = Buffer.from([0, 0, 0, 0, MESSAGE.bitfield]);
  header.writeUInt32BE(1 + bits.length, 0);
  return Buffer.concat([header, bits]);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** `readFile` stops at 2 GiB. */
function readWhole(path: string): Buffer {
  const whole = Buffer.allocUnsafeSlow(job.totalBytes);
  const file = openSync(path, 'r');
  for (let at = 0; at < whole.length; ) {
    const got = readSync(file, whole, at, Math.min(whole.length - at, 1 << 26), at);
    if (got === 0) throw new Error(`${path} is shorter than its torrent says`);
    at += got;
  }
  closeSync(file);
  return whole;
}
