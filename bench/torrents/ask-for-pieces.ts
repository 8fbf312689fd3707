/** A peer that wants to know one thing: whether a torrent is really there. */
import { randomBytes } from 'node:crypto';
import { createConnection } from 'node:net';
import { HeaderFramer, handshakeOf } from '../header-framer.ts';

/** Connects, shakes hands, and waits for the first message; resolves to how long that took. */
export async function askForPieces(port: number, infoHash: Uint8Array): Promise<number> {
  const began = performance.now();
  const socket = createConnection(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    const framer = new HeaderFramer({ onHandshake: () => {}, onMessage: () => resolve() });
    socket.on('connect', () => socket.write(handshakeOf(infoHash, '-AP0001-', randomBytes(12))));
    socket.on('data', (chunk) => framer.take(chunk.length, chunk));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the torrent is not served')));
  });
  socket.destroy();
  return performance.now() - began;
}
