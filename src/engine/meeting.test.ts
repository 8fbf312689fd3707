import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha1 } from '@noble/hashes/legacy.js';
import { VirtualClock, virtualHasher } from '../sim/index.ts';
import { concatBytes, equalBytes, instant, MIB } from '../units/index.ts';
import {
  decodeBencodeDict,
  encodeBencode,
  encodeHandshake,
  type Handshake,
  WireError,
} from '../wire/index.ts';
import type { PeerExtension, PeerExtensionSession, PeerLink } from './extension.ts';
import { ExtensionHub } from './extension-hub.ts';
import { type GateKeeper, HandshakeGate } from './handshake-gate.ts';
import { MetadataCollector } from './metadata-collector.ts';
import { MetadataExchange } from './metadata-exchange.ts';
import { PeerBook } from './peer-book.ts';
import type { Connection, ConnectionEvents } from './ports.ts';

const NOW = instant(0);
const ADDRESS = { host: '192.0.2.1', port: 6881 };

test('an address is in the book once, and is tried by one connection at a time', () => {
  const book = new PeerBook();
  assert.equal(book.add(ADDRESS, 'tracker'), true);
  assert.equal(book.add(ADDRESS, 'tracker'), false);
  assert.equal(book.add({ ...ADDRESS, port: 0 }, 'tracker'), false);
  assert.equal(book.add({ ...ADDRESS, port: 65536 }, 'tracker'), false);
  assert.equal(book.next(NOW)?.host, ADDRESS.host);
  assert.equal(book.next(NOW), null);
});

test('the wait after failures doubles, and after six the address is forgotten', () => {
  const book = new PeerBook();
  book.add(ADDRESS, 'tracker');
  let now = 0;
  for (const waitMs of [2_000, 4_000, 8_000, 16_000, 32_000]) {
    assert.ok(book.next(instant(now)));
    book.onClosed(ADDRESS, instant(now), false);
    assert.equal(book.next(instant(now + waitMs - 1)), null);
    now += waitMs;
  }
  assert.ok(book.next(instant(now)));
  book.onClosed(ADDRESS, instant(now), false);
  assert.equal(book.size, 0);
});

test("a user's own address is tried for ever, every 16 seconds at last", () => {
  const book = new PeerBook();
  book.add(ADDRESS, 'user');
  for (let now = 0; now < 20 * 16_000; now += 16_000) {
    assert.ok(book.next(instant(now)), `${now}`);
    book.onClosed(ADDRESS, instant(now), false);
  }
});

test('a ban is of the whole host, but on loopback of one port', () => {
  const book = new PeerBook();
  book.add(ADDRESS, 'user');
  book.ban({ ...ADDRESS, port: 1 });
  assert.equal(book.size, 0);
  assert.ok(book.isBanned(ADDRESS));
  assert.equal(book.add(ADDRESS, 'tracker'), false);
  for (const host of ['127.0.0.1', '127.8.9.1', '::1']) {
    book.ban({ host, port: 1 });
    assert.ok(book.isBanned({ host, port: 1 }));
    assert.ok(!book.isBanned({ host, port: 2 }));
  }
});

test('a book has at most two thousand addresses', () => {
  const book = new PeerBook();
  for (let port = 1; port <= 3_000; port++) book.add({ host: '192.0.2.1', port }, 'tracker');
  assert.equal(book.size, 2_000);
});

test('who is connected already, or a seed as we are, is left alone for a while', () => {
  const book = new PeerBook();
  book.add(ADDRESS, 'tracker');
  book.next(NOW);
  book.onDuplicate(ADDRESS, NOW);
  book.onClosed(ADDRESS, NOW, false);
  assert.equal(book.next(instant(9 * 60_000)), null);
  assert.ok(book.next(instant(10 * 60_000)));
  book.onSeed(ADDRESS, instant(10 * 60_000));
  book.onClosed(ADDRESS, instant(10 * 60_000), true);
  assert.equal(book.next(instant(39 * 60_000)), null);
  assert.ok(book.next(instant(40 * 60_000)));
});

const INFO_HASH = new Uint8Array(20).fill(1);
const THEIRS: Handshake = {
  infoHash: INFO_HASH,
  peerId: new Uint8Array(20).fill(2),
  flags: { extended: true, fast: true, dht: false },
};

/** A gate and what went on at it. */
function gate(wanted: Uint8Array | null, isWelcome = true): { gate: HandshakeGate; log: string[] } {
  const log: string[] = [];
  const peer: ConnectionEvents = {
    onOpen: () => log.push('peer open'),
    onBytes: (view) => log.push(`peer bytes ${[...view]}`),
    onDrain: () => log.push('peer drain'),
    onClosed: (reason) => log.push(`peer closed ${reason}`),
  };
  const keeper: GateKeeper = {
    handshakeFor: (infoHash) => (infoHash[0] === 1 ? { ...THEIRS, infoHash } : null),
    isSame: () => false,
    hold: () => false,
    admit: () => (isWelcome ? peer : null),
    onFailed: (_connection, reason) => log.push(`failed ${reason}`),
  };
  const connection: Connection = {
    remoteHost: '192.0.2.1',
    remotePort: 1,
    isOutbound: wanted !== null,
    queuedBytes: 0,
    write: (parts) => log.push(`sent ${parts.reduce((sum, part) => sum + part.length, 0)}`),
    pauseReading: () => {},
    resumeReading: () => {},
    close: (reason) => log.push(`close ${reason}`),
  };
  const made = new HandshakeGate(keeper, wanted);
  made.bind(connection);
  return { gate: made, log };
}

test('a handshake may come in any pieces, and what follows it goes to the peer', () => {
  const stream = concatBytes(encodeHandshake(THEIRS), Uint8Array.of(7, 8, 9));
  for (let cut = 0; cut <= stream.length; cut++) {
    const { gate: at, log } = gate(null);
    at.onBytes(stream.subarray(0, cut));
    at.onBytes(stream.subarray(cut));
    const said = log.filter((line) => line.startsWith('peer bytes'));
    assert.equal(log[0], 'sent 68');
    assert.equal(said.map((line) => line.slice(11)).join(), '7,8,9', `cut at ${cut}`);
  }
});

test('who dials speaks first, who is dialled answers', () => {
  const out = gate(INFO_HASH);
  out.gate.onOpen();
  assert.deepEqual(out.log, ['sent 68']);
  const inwards = gate(null);
  inwards.gate.onOpen();
  assert.deepEqual(inwards.log, []);
});

test('another protocol, torrent or unwanted peer is refused with the reason', () => {
  const other = encodeHandshake({ ...THEIRS, infoHash: new Uint8Array(20).fill(5) });
  const cases: readonly (readonly [ReturnType<typeof gate>, Uint8Array, RegExp])[] = [
    [gate(null), Uint8Array.of(0x47), /does not speak BitTorrent/],
    [gate(null), other, /do not have/],
    [gate(INFO_HASH), other, /another torrent/],
    [gate(null, false), encodeHandshake(THEIRS), /not needed/],
  ];
  for (const [{ gate: at, log }, bytes, reason] of cases) {
    at.onBytes(bytes);
    assert.match(log.at(-1) ?? '', reason);
    at.onBytes(encodeHandshake(THEIRS));
    assert.ok(!at.isPassed);
    at.onClosed('gone');
    assert.equal(log.at(-1), 'failed gone');
  }
});

/** A hub with two extensions, and what was said on both sides. */
function hub(): {
  hub: ExtensionHub;
  torrent: { isSated: boolean };
  log: string[];
  sent: Uint8Array[];
} {
  const log: string[] = [];
  const sent: Uint8Array[] = [];
  const extension = (name: string): PeerExtension => ({
    name,
    attach: (link) => {
      const session: Partial<PeerExtensionSession> = {
        onSupported: () => {
          log.push(`${name} supported`);
          link.send(Uint8Array.of(1));
        },
        onMessage: (payload) => log.push(`${name} ${[...payload]}`),
      };
      return session as PeerExtensionSession;
    },
  });
  const owner = { infoBytes: null, collector: null };
  const extensions = [extension('one'), extension('two')];
  const engine = { clientName: 'me', listenPort: 7, extensions };
  const torrent = { engine, infoBytes: null, isSated: false, revealing: { isOn: false } };
  const made = new ExtensionHub(torrent, {
    metadata: new MetadataExchange(owner, 1, () => {}),
    transmit: (message) => sent.push(message),
    onDontHave: (piece) => log.push(`lost ${piece}`),
    linkFor: (send) => ({ send }) as PeerLink,
  });
  return { hub: made, torrent, log, sent };
}

test('extensions are offered under ids of ours and spoken to under ids of theirs (BEP 10)', () => {
  const { hub: at, log, sent } = hub();
  at.greet();
  const ids = decodeBencodeDict(sent[0]?.subarray(6) ?? new Uint8Array()).dict('m');
  assert.deepEqual(
    ['ut_metadata', 'one', 'two', 'lt_donthave'].map((name) => ids?.integer(name)),
    [1, 2, 3, 4],
  );
  const hello = { m: { two: 200, other: 5 }, reqq: 9, p: 70_000, v: 'x' };
  assert.equal(at.receive(0, encodeBencode(hello), NOW), true);
  const said = { reqq: 9, listenPort: null, clientName: 'x', isUploadOnly: null };
  assert.deepEqual(at.remote, said);
  assert.deepEqual(log, ['two supported']);
  assert.deepEqual([...(sent[1] ?? [])], [0, 0, 0, 3, 20, 200, 1]);
  assert.equal(at.receive(2, Uint8Array.of(4), NOW), false);
  at.receive(3, Uint8Array.of(5), NOW);
  at.receive(4, Uint8Array.of(0, 0, 1, 2), NOW);
  at.receive(5, Uint8Array.of(6), NOW);
  at.receive(255, Uint8Array.of(7), NOW);
  assert.deepEqual(log, ['two supported', 'one 4', 'two 5', 'lost 258']);
});

test('a later handshake adds, changes and switches off, and leaves the rest (BEP 10)', () => {
  const { hub: at } = hub();
  at.receive(0, encodeBencode({ m: { one: 3 } }), NOW);
  at.receive(0, encodeBencode({ m: { two: 4 } }), NOW);
  assert.deepEqual([at.remoteHas('one'), at.remoteHas('two')], [true, true]);
  at.receive(0, encodeBencode({ m: { one: 0 } }), NOW);
  at.receive(0, encodeBencode({}), NOW);
  assert.deepEqual([at.remoteHas('one'), at.remoteHas('two')], [false, true]);
  for (const id of [-1, 256, 2 ** 40]) at.receive(0, encodeBencode({ m: { one: id } }), NOW);
  assert.equal(at.remoteHas('one'), false);
});

test('what a later handshake does not say stays as it was (BEP 10)', () => {
  const { hub: at } = hub();
  at.receive(0, encodeBencode({ p: 80, v: 'x', upload_only: 1 }), NOW);
  at.receive(0, encodeBencode({ p: 0, reqq: 3 }), NOW);
  const said = { reqq: 3, listenPort: 80, clientName: 'x', isUploadOnly: true };
  assert.deepEqual(at.remote, said);
  at.receive(0, encodeBencode({ upload_only: 0, v: 'y' }), NOW);
  assert.deepEqual(at.remote, { ...said, clientName: 'y', isUploadOnly: false });
});

test('who wants nothing any more says so once, and takes it back (BEP 21)', () => {
  const { hub: at, torrent, sent } = hub();
  const says = (message: Uint8Array): number | null | undefined =>
    decodeBencodeDict(message.subarray(6)).integer('upload_only');
  at.greet();
  at.greetIfChanged();
  torrent.isSated = true;
  at.greetIfChanged();
  at.greetIfChanged();
  torrent.isSated = false;
  at.greetIfChanged();
  assert.deepEqual(sent.map(says), [0, 1, 0]);
});

test('an extension handshake that is none, or too long, is refused', () => {
  const { hub: at } = hub();
  const long = encodeBencode({ v: 'x'.repeat(20_000) });
  for (const bytes of [encodeBencode([]), Uint8Array.of(1, 2), long, new Uint8Array(0)]) {
    assert.throws(() => at.receive(0, bytes, NOW), WireError);
  }
});

const INFO = new Uint8Array(40_000).map((_, at) => at % 251);

function collector(): { from: MetadataCollector; done: Uint8Array[] } {
  const done: Uint8Array[] = [];
  const onComplete = (bytes: Uint8Array): void => {
    done.push(bytes);
  };
  const target = {
    infoHash: sha1(INFO),
    infoHashV2: null,
    hasher: virtualHasher(new VirtualClock()),
    onComplete,
  };
  return { from: new MetadataCollector(target), done };
}

/** Whether the dictionary came, once, byte for byte. */
function isWhole(done: readonly Uint8Array[]): boolean {
  return done.length === 1 && equalBytes(done[0] ?? new Uint8Array(), INFO);
}

/** Answers what a peer is asked, until it is asked no more. */
function give(from: MetadataCollector, peerKey: number, isLie = false): number {
  let given = 0;
  for (let piece = from.next(peerKey, NOW); piece !== null; piece = from.next(peerKey, NOW)) {
    const bytes = INFO.slice(piece * 16384, (piece + 1) * 16384);
    if (isLie) bytes[0] = 0xff;
    from.take(peerKey, piece, bytes);
    given++;
  }
  return given;
}

test('metadata is gathered from several peers, a few pieces of each at a time', () => {
  const { from, done } = collector();
  assert.ok(from.offer(1, 40_000) && from.offer(2, 40_000));
  const asked = [from.next(1, NOW), from.next(2, NOW), from.next(1, NOW)];
  assert.deepEqual(asked, [0, 1, 2]);
  for (const [nth, peerKey] of [1, 2, 1].entries()) {
    from.take(peerKey, nth, INFO.slice(nth * 16384, (nth + 1) * 16384));
  }
  assert.ok(isWhole(done));
});

test('a peer is asked for four pieces at a time, however many there are', () => {
  const { from } = collector();
  from.offer(1, MIB);
  assert.deepEqual(
    Array.from({ length: 5 }, () => from.next(1, NOW)),
    [0, 1, 2, 3, null],
  );
});

test('sizes that cannot be are refused, and a false one only costs time', () => {
  const { from, done } = collector();
  for (const size of [0, -1, 0.5, 30 * MIB + 1]) assert.equal(from.offer(9, size), false);
  assert.equal(collector().from.offer(9, 30 * MIB), true);
  from.offer(1, 99);
  from.offer(2, 40_000);
  assert.equal(from.next(2, NOW), null);
  assert.equal(from.next(1, NOW), 0);
  assert.equal(from.next(2, instant(31_000)), 0);
  from.withdraw(1);
  from.withdraw(2);
  from.offer(2, 40_000);
  give(from, 2);
  assert.ok(isWhole(done));
});

test('a piece that was not asked of a peer, or is of a wrong length, is not taken', () => {
  const { from, done } = collector();
  from.offer(1, 40_000);
  from.take(1, 0, INFO.slice(0, 16384));
  assert.equal(from.progress, 0);
  from.next(1, NOW);
  from.take(2, 0, INFO.slice(0, 16384));
  assert.equal(from.progress, 0);
  from.take(1, 0, INFO.slice(0, 5));
  assert.equal(from.next(1, NOW), null);
  assert.equal(done.length, 0);
});

test('who gives all of a wrong dictionary is not asked again', () => {
  const { from, done } = collector();
  from.offer(1, 40_000);
  from.offer(2, 40_000);
  assert.equal(give(from, 1, true), 3);
  assert.equal(from.offer(1, 40_000), false);
  assert.equal(give(from, 1), 0);
  give(from, 2);
  assert.ok(isWhole(done));
});

test('after a mixture was wrong, one peer alone gives all, then another', () => {
  const { from, done } = collector();
  for (const peerKey of [1, 2, 3]) from.offer(peerKey, 40_000);
  const first = from.next(1, NOW) ?? -1;
  from.take(1, first, new Uint8Array(16384));
  for (const piece of [from.next(2, NOW) ?? -1, from.next(2, NOW) ?? -1]) {
    from.take(2, piece, INFO.slice(piece * 16384, (piece + 1) * 16384));
  }
  assert.equal(done.length, 0);
  assert.equal(from.next(1, NOW), 0);
  assert.equal(from.next(2, NOW), null);
  from.withdraw(1);
  assert.equal(give(from, 3), 3);
  assert.ok(isWhole(done));
});
