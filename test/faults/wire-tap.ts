/**
 * A relay between buyer and seller that outlives both, and writes down what either said about
 * money: the vouchers that left the buyer, the acknowledgements that left the seller.
 */
import { connect, createServer, type Socket } from 'node:net';
import { type Bdecoded, bdecode } from '../support/bencode.ts';

/** Amounts by lane (`allotment/index`): the highest that was said. */
export type Amounts = ReadonlyMap<string, bigint>;

/** A running relay. */
export interface WireTap extends AsyncDisposable {
  /** Where the buyer finds the seller. */
  readonly port: number;
  /** What the buyer has signed, as far as it has left it. */
  readonly vouchers: Amounts;
  /** What the seller has confirmed to be on its disk. */
  readonly acks: Amounts;
  /** The connections that came through. */
  readonly connectionCount: number;
  /** Where the seller is now; it has another port in every life. */
  target: number;
}

/** Starts a relay to whatever `target` is set to. */
export async function startWireTap(): Promise<WireTap> {
  const vouchers = new Map<string, bigint>();
  const acks = new Map<string, bigint>();
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    tap.connectionCount += 1;
    const far = connect(tap.target, '127.0.0.1');
    join(near, far, new MoneyReader('voucher', vouchers));
    join(far, near, new MoneyReader('ack', acks));
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  const tap = {
    ...{ port, vouchers, acks, target: 0, connectionCount: 0 },
    [Symbol.asyncDispose]: close,
  };
  return tap;
}

function join(from: Socket, to: Socket, reader: MoneyReader): void {
  from.on('data', (chunk: Buffer) => {
    reader.take(chunk);
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}

const HANDSHAKE_BYTES = 68;
const EXTENDED = 20;

/** Reads one direction of a connection. Extended ids differ by direction: any is looked at. */
class MoneyReader {
  readonly #type: string;
  readonly #amounts: Map<string, bigint>;
  #rest: Buffer = Buffer.alloc(0);
  #skip = HANDSHAKE_BYTES;

  constructor(type: string, amounts: Map<string, bigint>) {
    this.#type = type;
    this.#amounts = amounts;
  }

  take(chunk: Buffer): void {
    let buffer = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const skipped = Math.min(this.#skip, buffer.length);
      this.#skip -= skipped;
      buffer = buffer.subarray(skipped);
      if (this.#skip > 0 || buffer.length < 6) break;
      const length = buffer.readUInt32BE(0);
      if (length < 2 || buffer[4] !== EXTENDED || buffer[5] === 0) {
        this.#skip = 4 + length;
        continue;
      }
      if (buffer.length < 4 + length) break;
      this.#read(buffer.subarray(6, 4 + length));
      buffer = buffer.subarray(4 + length);
    }
    this.#rest = buffer;
  }

  #read(payload: Buffer): void {
    const { value } = bdecode(payload);
    if (!(value instanceof Map) || latin1(value.get('t')) !== this.#type) return;
    const lane = `${hex(value.get('id'))}/${Number(value.get('lane'))}`;
    const amount = BigInt(`0x${hex(value.get('amount')) || '0'}`);
    if (amount > (this.#amounts.get(lane) ?? 0n)) this.#amounts.set(lane, amount);
  }
}

function latin1(value: Bdecoded | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : '';
}

function hex(value: Bdecoded | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : '';
}
