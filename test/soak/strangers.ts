/**
 * Those who knock at the observed node and are no good: silent connections, half handshakes,
 * resets, uTP openings that nobody follows up, DHT questions, announced peers that do not exist.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeHandshake } from '../../src/wire/index.ts';
import { bencode } from '../support/bencode.ts';
import type { SeededRandom } from '../support/random.ts';

/** Whom they knock at. */
export interface StrangersOptions {
  readonly port: number;
  readonly dhtPort: number;
  readonly announceUrl: string;
  readonly infoHashes: readonly Uint8Array[];
  readonly random: SeededRandom;
}

type Act = 'silent' | 'babble' | 'half' | 'reset' | 'stall' | 'unknown' | 'syn' | 'dht' | 'ghost';

const ACTS: readonly (readonly [Act, number])[] = [
  ['silent', 1],
  ['babble', 1],
  ['half', 1],
  ['reset', 2],
  ['stall', 2],
  ['unknown', 1],
  ['syn', 2],
  ['dht', 2],
  ['ghost', 1],
];
/** Between two of them. */
const PAUSE_MS = [500, 3_000] as const;
/** How long one holds its connection at most. */
const HOLD_MS_MAX = 150_000;

/** See the head of this file. Stops with the signal. */
export async function sendStrangers(options: StrangersOptions, signal: AbortSignal): Promise<void> {
  const { random } = options;
  while (!signal.aborted) {
    await sleep(random.between(...PAUSE_MS), undefined, { signal }).catch(() => {});
    const act = random.pick(ACTS);
    const holdMs = random.next() ** 3 * HOLD_MS_MAX;
    const infoHash = random.pick(options.infoHashes.map((one) => [one, 1] as const));
    if (!signal.aborted) perform(act, { ...options, holdMs, infoHash });
  }
}

interface Knock extends StrangersOptions {
  readonly holdMs: number;
  readonly infoHash: Uint8Array;
}

function perform(act: Act, knock: Knock): void {
  const greeting = handshake(act === 'unknown' ? randomBytes(20) : knock.infoHash);
  switch (act) {
    case 'silent':
      dial(knock, null);
      break;
    case 'babble':
      dial(knock, randomBytes(1 + Math.floor(knock.holdMs % 300)));
      break;
    case 'half':
      dial(knock, greeting.subarray(0, 40));
      break;
    case 'stall':
      // Interested, and never heard of again.
      dial(knock, Buffer.concat([greeting, Buffer.from([0, 0, 0, 1, 2])]));
      break;
    case 'unknown':
      dial(knock, greeting);
      break;
    case 'reset': {
      const socket = dial(knock, greeting);
      socket.once('data', () => socket.resetAndDestroy());
      break;
    }
    case 'syn':
      sendDatagram(knock.port, utpSyn());
      break;
    case 'dht':
      sendDatagram(knock.dhtPort, findNode());
      break;
    case 'ghost':
      announceGhost(knock);
      break;
  }
}

function dial({ port, holdMs }: Knock, first: Uint8Array | null): Socket {
  const socket = connect({ host: '127.0.0.1', port }, () => {
    if (first) socket.write(first);
  });
  socket.on('error', () => {});
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), holdMs);
  socket.once('close', () => clearTimeout(timer));
  return socket;
}

function handshake(infoHash: Uint8Array): Buffer {
  const flags = { extended: true, fast: true, dht: false };
  return Buffer.from(encodeHandshake({ infoHash, peerId: randomBytes(20), flags }));
}

/** BEP 29: version 1, ST_SYN, a connection id, and nothing after it. */
function utpSyn(): Uint8Array {
  const packet = Buffer.alloc(20);
  packet[0] = 0x41;
  randomBytes(2).copy(packet, 2);
  packet.writeUInt32BE(1 << 16, 12);
  packet.writeUInt16BE(1, 16);
  return packet;
}

function findNode(): Uint8Array {
  const body = { id: randomBytes(20), target: randomBytes(20) };
  return bencode({ a: body, q: 'find_node', t: randomBytes(2), y: 'q' });
}

function sendDatagram(port: number, packet: Uint8Array): void {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  socket.send(packet, port, '127.0.0.1', () => setTimeout(() => socket.close(), 1_000));
}

/** A peer where nobody listens: the node will dial it in vain. */
function announceGhost({ announceUrl, infoHash, holdMs }: Knock): void {
  const escaped = [...infoHash].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const port = 1024 + Math.floor(holdMs % 60_000);
  const query = `info_hash=${escaped}&peer_id=-XX0000-${'0'.repeat(12)}&port=${port}`;
  fetch(`${announceUrl}?${query}&uploaded=0&downloaded=0&left=1&compact=1`)
    .then((response) => response.arrayBuffer())
    .catch(() => {});
}
