/** A player as far as a server can tell: asks for a place, reads on, seeks elsewhere. */
import { type IncomingMessage, request } from 'node:http';

/** What came of one place. */
export interface Seek {
  readonly position: number;
  /** From sending the request to the first byte of the file. */
  readonly firstByteMs: number;
  /** Read from there until the player left. */
  readonly readBytes: number;
}

/** Asks for the file from `position` on and reads as fast as it comes for `playMs`, then leaves. */
export function playFrom(url: string, position: number, playMs: number): Promise<Seek> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let firstByteMs = 0;
    let readBytes = 0;
    const call = request(url, { agent: false, headers: { range: `bytes=${position}-` } });
    const leave = (): void => {
      call.destroy();
      resolve({ position, firstByteMs, readBytes });
    };
    call.once('error', reject);
    call.once('response', (answer: IncomingMessage) => {
      if (answer.statusCode !== 206) reject(new Error(`status ${answer.statusCode}`));
      answer.on('data', (view: Uint8Array) => {
        if (readBytes === 0) {
          firstByteMs = performance.now() - start;
          setTimeout(leave, playMs);
        }
        readBytes += view.length;
      });
      answer.once('error', () => {});
    });
    call.end();
  });
}

/** So many places spread over a file, each far from those before it: 1/2, 1/4, 3/4, 1/8, … */
export function placesIn(lengthBytes: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, nth) => {
    // The van der Corput sequence: the digits of nth + 1 mirrored behind the point.
    let [share, digit] = [0, 0.5];
    for (let rest = nth + 1; rest > 0; rest >>= 1, digit /= 2) share += (rest & 1) * digit;
    return Math.floor(share * lengthBytes);
  });
}
