/** A real seed and a real downloader under attack over TCP, while an honest download goes on. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Transfer } from '../../src/daemon/transfer/index.ts';
import { concatBytes, fromHex } from '../../src/units/index.ts';
import {
  encodeBare,
  encodeBencode,
  encodeBitfield,
  encodeBlockRef,
  encodeExtended,
  HANDSHAKE_BYTES,
  MESSAGE,
  PeerFramer,
  putPieceHeader,
} from '../../src/wire/index.ts';
import {
  makeTempFolder,
  sha256OfFile,
  type TempFolder,
  writeRandomFile,
} from '../support/files.ts';
import { type MadeTorrent, makeTorrent } from '../support/make-torrent.ts';
import { Attacker, greeting } from './attacker.ts';
import type { TorrentSpec } from './victim.ts';
import { Victim } from './victim-handle.ts';

const MIB = 1024 * 1024;
/** What an attack may make a victim hold: read buffers have 64 MiB, the rest is small. */
const GROWTH_BYTES_MAX = 256 * MIB;

const REQUEST = { index: 0, begin: 0, length: 16384 };

let folder: TempFolder;
let torrent: MadeTorrent;
let infoHash: Uint8Array;

before(async () => {
  folder = await makeTempFolder('hostile');
  const contentPath = join(folder.path, 'seed', 'content.bin');
  await writeRandomFile(contentPath, 12 * MIB);
  const torrentPath = join(folder.path, 'content.torrent');
  torrent = await makeTorrent({ contentPath, torrentPath, pieceLengthBytes: 256 * 1024 });
  infoHash = fromHex(torrent.infoHash);
});

after(() => folder.dispose());

function specOf(root: string, ports: readonly number[] = []): TorrentSpec {
  return {
    source: { kind: 'metainfo', bytes: readFileSync(torrent.torrentPath) },
    root,
    peers: ports.map((port) => ({ host: '127.0.0.1', port })),
    useTrackers: false,
    mustBeComplete: false,
  };
}

async function startSeed(): Promise<Victim> {
  const victim = await Victim.start();
  victim.add(specOf(join(folder.path, 'seed')));
  await victim.until('complete');
  return victim;
}

/** Downloads everything from `port` at 4 MiB a second; resolves when the data is proven right. */
async function downloadHonestly(port: number, name: string): Promise<void> {
  let onComplete = (): void => {};
  const complete = new Promise<void>((resolve) => {
    onComplete = resolve;
  });
  const transfer = await Transfer.start(
    {
      listenPort: null,
      bindHost: '127.0.0.1',
      uploadLimit: Infinity,
      downloadLimit: 4 * MIB,
      resumeDir: null,
      exchange: null,
      moneyPort: null,
    },
    {
      onNews: (_key, news) => {
        if (news.kind === 'complete') onComplete();
      },
      onCrash: (failure) => {
        throw failure;
      },
    },
  );
  const root = join(folder.path, name);
  await transfer.add(specOf(root, [port]));
  await complete;
  await transfer.stop();
  assert.equal(sha256OfFile(join(root, 'content.bin')), sha256OfFile(torrent.contentPath));
}

/** Attacks a seed while an honest peer downloads from it; both must be well afterwards. */
async function underAttack(
  name: string,
  attack: (victim: Victim, isOver: () => boolean) => Promise<void>,
): Promise<void> {
  const victim = await startSeed();
  try {
    const { rssBytes: before } = await victim.memory();
    let isOver = false;
    const honest = downloadHonestly(victim.port, name).finally(() => {
      isOver = true;
    });
    let most = 0;
    const watch = async (): Promise<void> => {
      while (!isOver) {
        most = Math.max(most, (await victim.memory()).rssBytes);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await Promise.all([honest, watch(), attack(victim, () => isOver)]);
    most = Math.max(most, (await victim.memory()).rssBytes);
    assert.ok(victim.isAlive);
    assert.ok(most - before < GROWTH_BYTES_MAX, `it grew by ${(most - before) / MIB} MiB`);
  } finally {
    victim.stop();
  }
}

function block(index: number, payload: Uint8Array): Uint8Array {
  const view = new Uint8Array(13 + payload.length);
  putPieceHeader(view, 0, { index, begin: 0, length: payload.length });
  view.set(payload, 13);
  return view;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

test('messages that break the protocol end their connection, and no other', async () => {
  const bombs: readonly Uint8Array[] = [
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, MESSAGE.bitfield),
    Uint8Array.of(0x7f, 0xff, 0xff, 0xff, MESSAGE.piece),
    Uint8Array.of(0, 2, 0, 1, MESSAGE.extended),
    encodeBitfield(new Uint8Array(1000)),
    encodeBitfield(new Uint8Array(1)),
    Uint8Array.of(0, 0, 0, 2, MESSAGE.choke, 0),
    block(9999, new Uint8Array(16384)),
    block(0, new Uint8Array(7)),
    encodeExtended(0, text(`${'d1:a'.repeat(3_000)}${'e'.repeat(3_000)}`)),
    encodeExtended(0, text(`d1:m${'l'.repeat(100_000)}`)),
    encodeExtended(0, text('d1:m99999999999999999999:')),
    encodeExtended(1, text('i5e')),
  ];
  await underAttack('protocol', async ({ port }) => {
    for (const bomb of bombs) {
      const attacker = await Attacker.greet({ port, infoHash });
      attacker.send(bomb);
      await attacker.closed;
    }
  });
});

test('floods are cut off, whatever they are made of', async () => {
  const many = (message: Uint8Array): Uint8Array =>
    concatBytes(...Array.from({ length: 500 }, () => message));
  const metadata = encodeExtended(1, encodeBencode({ msg_type: 0, piece: 0 }));
  const floods: readonly Uint8Array[] = [
    many(encodeBlockRef(MESSAGE.request, REQUEST)),
    many(encodeBlockRef(MESSAGE.request, { ...REQUEST, index: 4_000 })),
    many(encodeBlockRef(MESSAGE.request, { ...REQUEST, length: 1 << 30 })),
    many(metadata),
    block(0, new Uint8Array(16384)),
  ];
  await underAttack('floods', async ({ port }) => {
    await Promise.all(
      floods.map(async (flood) => {
        const attacker = await Attacker.greet({ port, infoHash, fast: false });
        attacker.send(encodeExtended(0, text('d1:md11:ut_metadatai3eee')));
        await attacker.flood(flood);
      }),
    );
  });
});

test('peers that ask for everything and read nothing hold little memory', async () => {
  await underAttack('deaf', async ({ port }) => {
    const deaf = await Promise.all(
      Array.from({ length: 80 }, () => Attacker.greet({ port, infoHash })),
    );
    for (const attacker of deaf) attacker.send(encodeBare(MESSAGE.interested));
    await new Promise((resolve) => setTimeout(resolve, 700));
    for (const attacker of deaf) {
      attacker.socket.pause();
      for (let index = 0; index < 48; index++) {
        for (let begin = 0; begin < 256 * 1024; begin += 16384) {
          attacker.send(encodeBlockRef(MESSAGE.request, { ...REQUEST, index, begin }));
        }
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    for (const attacker of deaf) attacker.leave();
  });
});

test('half handshakes and thousands of connections keep nobody out', async () => {
  await underAttack('connects', async ({ port }, isOver) => {
    const open: Attacker[] = [];
    for (let nth = 0; nth < 3_000 && !isOver(); nth++) {
      const attacker = await Attacker.connect(port);
      if (nth % 3 === 0) attacker.send(greeting(infoHash).subarray(0, nth % HANDSHAKE_BYTES));
      if (nth % 3 === 1) attacker.send(text('GET / HTTP/1.1\r\n\r\n'));
      open.push(attacker);
      if (open.length > 700) open.shift()?.leave();
    }
    for (const attacker of open) attacker.leave();
  });
});

test('a seed that gives garbage is banned, and the download completes from an honest one', async () => {
  const seed = await startSeed();
  const sockets: net.Socket[] = [];
  const liar = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    const framer = new PeerFramer({
      onChoke: () => {},
      onInterested: () => socket.write(encodeBare(MESSAGE.unchoke)),
      onHave: () => {},
      onBitfield: () => {},
      onHaveAll: () => {},
      onHaveNone: () => {},
      onRequest: (index, begin, length) => {
        const view = new Uint8Array(13 + length);
        putPieceHeader(view, 0, { index, begin, length });
        socket.write(view);
      },
      onCancel: () => {},
      onReject: () => {},
      onAllowedFast: () => {},
      onExtended: () => {},
      onBlockStart: () => null,
      onBlockEnd: () => {},
    });
    let seen = 0;
    socket.on('data', (chunk: Buffer) => {
      const skipped = Math.min(HANDSHAKE_BYTES - seen, chunk.length);
      seen += skipped;
      framer.push(chunk.subarray(skipped));
    });
    socket.write(concatBytes(greeting(infoHash), encodeBare(MESSAGE.haveAll)));
  });
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
  const { port } = liar.address() as net.AddressInfo;
  const victim = await Victim.start();
  try {
    const root = join(folder.path, 'lied-to');
    victim.add(specOf(root, [port]));
    await victim.until('ban');
    victim.stop();
    const again = await Victim.start();
    again.add(specOf(root, [port, seed.port]));
    await again.until('complete');
    again.stop();
    assert.equal(sha256OfFile(join(root, 'content.bin')), sha256OfFile(torrent.contentPath));
  } finally {
    victim.stop();
    seed.stop();
    liar.close();
    for (const socket of sockets) socket.destroy();
  }
});
