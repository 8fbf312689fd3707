import assert from 'node:assert/strict';
import { createHash, hash } from 'node:crypto';
import { test } from 'node:test';
import {
  type Connection,
  type ConnectionEvents,
  Engine,
  type Hasher,
  type PieceStore,
  type TorrentContent,
  type TorrentEvents,
} from '../engine/index.ts';
import { account, identityOf, MemoryBook, MemoryPurse, signerOf } from '../sim/money/index.ts';
import {
  atto,
  attoPerMib,
  Bitfield,
  bytesPerSecond,
  concatBytes,
  instant,
  KIB,
  MIB,
  seededRandom,
} from '../units/index.ts';
import { createExchange } from './index.ts';

const PIECE_BYTES = 256 * KIB;

const hasher: Hasher = {
  sha1: (view) => new Uint8Array(hash('sha1', view, 'buffer')),
  hashPiece: (piece, done) => done(new Uint8Array(hash('sha1', piece, 'buffer'))),
  sha256: (view) => new Uint8Array(hash('sha256', view, 'buffer')),
  hashBlocks: (_, done) => done(new Uint8Array(0)),
};

const QUIET: TorrentEvents = {
  onMetadata: () => {},
  onPiece: () => {},
  onComplete: () => {},
  onFailed: (failure) => assert.fail(failure),
  onBan: (host) => assert.fail(`banned ${host}`),
};

/** A loopback connection that delivers when the test pumps it. */
class Loop implements Connection {
  readonly remoteHost = '192.0.2.7';
  readonly remotePort = 6881;
  readonly isOutbound: boolean;
  queuedBytes = 0;
  events: ConnectionEvents | null = null;
  other: Loop | null = null;
  isClosed = false;
  readonly frames: { readonly bytes: Uint8Array; readonly done: (() => void) | undefined }[] = [];

  constructor(isOutbound: boolean) {
    this.isOutbound = isOutbound;
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    this.frames.push({ bytes: concatBytes(...parts), done });
  }

  pauseReading(): void {}
  resumeReading(): void {}

  close(reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.events?.onClosed(reason);
    this.other?.close('the other side closed');
  }

  /** Delivers what was written so far. */
  pump(): void {
    for (const { bytes, done } of this.frames.splice(0)) {
      if (!this.isClosed) this.other?.events?.onBytes(bytes);
      done?.();
    }
    if (!this.isClosed) this.events?.onDrain();
  }
}

function torrentOf(data: Uint8Array): TorrentContent {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += PIECE_BYTES) {
    hashes.push(hasher.sha1(data.subarray(at, at + PIECE_BYTES)));
  }
  const infoBytes = new Uint8Array([0x64, 0x65]);
  return {
    name: 'film',
    pieceLengthBytes: PIECE_BYTES,
    totalBytes: data.length,
    pieceHashes: concatBytes(...hashes),
    infoBytes,
  };
}

function storeOf(data: Uint8Array): PieceStore {
  return {
    writePiece(index, piece, done) {
      data.set(piece, index * PIECE_BYTES);
      done(null);
    },
    read(offset, into, done) {
      into.set(data.subarray(offset, offset + into.length));
      done(null);
    },
  };
}

test('two real engines: the file is right, and every sold byte is paid', () => {
  const random = seededRandom(5);
  const data = Uint8Array.from({ length: 24 * MIB }, (_, at) => (at * 2654435761) >>> 24);
  const copy = new Uint8Array(data.length);
  let now = 0;
  let jobs: { readonly at: number; readonly run: () => void }[] = [];
  const later = (delayMs: number, run: () => void): void => {
    jobs.push({ at: now + delayMs, run });
  };
  const [purse, book] = [new MemoryPurse(later), new MemoryBook(later)];
  const shared = {
    recover: (_: Uint8Array, signature: Uint8Array) => signerOf(signature),
    onEvent: () => {},
  };
  const buyer = createExchange(
    { ...shared, identity: identityOf(account(1)), purse, book: null },
    { seller: null, buyer: { maxPrice: attoPerMib(5000n), budget: atto(10n ** 8n) } },
  );
  const seller = createExchange(
    { ...shared, identity: identityOf(account(2)), purse: null, book },
    { seller: { ask: { kind: 'fixed', price: attoPerMib(1000n) } }, buyer: null },
  );
  const dialer = {
    connect: (): Connection => assert.fail('nobody dials here'),
  };
  const engines = [buyer, seller].map(
    ({ extension, policy }) =>
      new Engine(
        { dialer, hasher, random, extensions: [extension], uploadPolicy: policy },
        { clientName: 'test', uploadLimit: bytesPerSecond(4 * MIB) },
      ),
  );
  const content = torrentOf(data);
  const pieces = Math.ceil(content.totalBytes / PIECE_BYTES);
  const infoHash = new Uint8Array(createHash('sha1').update(content.infoBytes).digest());
  const all = new Bitfield(pieces);
  // All but one: two seeds would part before the last voucher is through.
  for (let piece = 1; piece < pieces; piece++) all.set(piece);
  let left = pieces - 1;
  const [down, up] = engines as [Engine, Engine];
  down
    .add(infoHash, {
      ...QUIET,
      onPiece: () => {
        left--;
      },
    })
    .begin(content, new Bitfield(pieces), storeOf(copy));
  up.add(infoHash, QUIET).begin(content, all, storeOf(data));

  const loops = [new Loop(true), new Loop(false)] as const;
  loops[0].other = loops[1];
  loops[1].other = loops[0];
  const dialled = down.torrents.get([...down.torrents.keys()][0] ?? '');
  dialled?.addPeers([{ host: '192.0.2.7', port: 6881 }], 'manual' as never);
  Object.assign(dialer, {
    connect: (_host: string, _port: number, events: ConnectionEvents): Connection => {
      loops[0].events = events;
      loops[1].events = up.accept(loops[1]);
      later(1, () => events.onOpen());
      return loops[0];
    },
  });

  const step = (): void => {
    now += 5;
    const due = jobs.filter((job) => job.at <= now);
    jobs = jobs.filter((job) => job.at > now);
    for (const job of due) job.run();
    if (now % 100 === 0) for (const engine of engines) engine.tick(instant(now));
    for (const loop of loops) loop.pump();
  };
  while (left > 0 && now < 60_000) step();
  assert.equal(left, 0, 'all there is was downloaded');
  const until = now + 2000;
  while (now < until && !buyer.settle()) step();

  assert.deepEqual(copy.subarray(PIECE_BYTES), data.subarray(PIECE_BYTES));
  const [bought, sold] = [buyer.snapshot().buyer, seller.snapshot().seller];
  assert.equal(sold?.soldBytes, bought?.boughtBytes);
  assert.ok((sold?.soldBytes ?? 0) > 20 * MIB, `${sold?.soldBytes} sold`);
  assert.equal(book.earned, purse.signed);
  assert.equal(book.earned, BigInt(Math.ceil(((sold?.soldBytes ?? 0) / MIB) * 1000)));
});
