import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode, WirePeer, type WirePeerOptions } from '../sim/index.ts';
import { concatBytes } from '../units/index.ts';
import {
  encodeBare,
  encodeBencode,
  encodeBitfield,
  encodeBlockRef,
  encodeExtended,
  encodeIndex,
  MESSAGE,
  putPieceHeader,
} from '../wire/index.ts';

const REQUEST = { index: 0, begin: 0, length: 16384 };

function block(index: number, begin: number, payload: Uint8Array): Uint8Array {
  const view = new Uint8Array(13 + payload.length);
  putPieceHeader(view, 0, { index, begin, length: payload.length });
  view.set(payload, 13);
  return view;
}

function text(value: string): Uint8Array {
  return Uint8Array.from(value, (char) => char.charCodeAt(0));
}

/** A swarm of one node and one scripted peer that has shaken hands with it. */
function meet(
  has: 'all' | 'none',
  options: WirePeerOptions & { readonly isMagnet?: boolean } = {},
): { swarm: Swarm; node: SwarmNode; peer: WirePeer } {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has, isMagnet: options.isMagnet ?? false });
  const peer = new WirePeer(swarm, node, options);
  assert.ok(swarm.clock.run(2_000, () => peer.isShaken));
  return { swarm, node, peer };
}

/** The reason the node gave for hanging up, found at its own end. */
function reasonOf(swarm: Swarm, node: SwarmNode, action: () => void): string | null {
  let reason: string | null = null;
  const [victim] = node.torrent.peers.values();
  if (!victim) return 'there is no peer';
  const { close } = victim;
  victim.close = (why) => {
    reason ??= why;
    close.call(victim, why);
  };
  action();
  swarm.clock.run(2_000, () => reason !== null);
  return reason;
}

test('messages that break the protocol end the connection with the reason', () => {
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['an over-long message', Uint8Array.of(0, 16, 0, 0, MESSAGE.have), /announces 1048576 bytes/],
    ['a bitfield of another torrent', encodeBitfield(new Uint8Array(99)), /bitfield of 99 bytes/],
    ['a bitfield with spare bits', encodeBitfield(new Uint8Array(4).fill(255)), /does not fit/],
    ['a piece past the end', encodeIndex(MESSAGE.have, 31), /piece 31 of 31/],
    ['a block past the end', block(31, 0, new Uint8Array(16384)), /does not exist/],
    ['half a block', block(0, 0, new Uint8Array(100)), /does not exist/],
    ['a reject of nothing', encodeBlockRef(MESSAGE.reject, { ...REQUEST, index: 99 }), /rejected/],
  ];
  for (const [name, bytes, wanted] of cases) {
    const { swarm, node, peer } = meet('none');
    assert.match(reasonOf(swarm, node, () => peer.send(bytes)) ?? '', wanted, name);
    swarm.clock.run(100);
    assert.equal(node.torrent.peers.size, 0, name);
    assert.equal(swarm.network.openEnds, 0, name);
  }
});

test('extension messages that are bombs end the connection with the reason', () => {
  const cases: readonly (readonly [string, number, Uint8Array, RegExp])[] = [
    ['nested lists', 0, text(`d1:m${'l'.repeat(5000)}${'e'.repeat(5000)}e`), /deep|nest/i],
    ['an endless integer', 0, text(`d1:pi${'9'.repeat(5000)}ee`), /digits|integer/i],
    ['a string longer than the message', 0, text('d1:m999999999:ae'), /string|bytes|end/i],
    ['a handshake of 20 KB', 0, text(`d1:v20000:${'a'.repeat(20000)}e`), /20\d\d\d/],
    ['metadata without a type', 1, text('d5:piecei0ee'), /lacks its type/],
    ['a list for a handshake', 0, text('le'), /dictionary/],
  ];
  for (const [name, id, payload, wanted] of cases) {
    const { swarm, node, peer } = meet('none', { flags: { extended: true } });
    const reason = reasonOf(swarm, node, () => peer.send(encodeExtended(id, payload)));
    assert.match(reason ?? 'it was not refused', wanted, name);
  }
});

test('unknown extensions are ignored', () => {
  const { swarm, node, peer } = meet('none', { flags: { extended: true } });
  peer.send(encodeExtended(0, text('d1:md7:ut_nopei9eee')), encodeExtended(77, text('noise')));
  assert.equal(
    reasonOf(swarm, node, () => {}),
    null,
  );
});

test('floods of requests that cannot be answered end the connection', () => {
  const absent = { ...REQUEST, index: 77 };
  const odd = { ...REQUEST, length: 99_999 };
  for (const [name, has, request, wanted] of [
    ['for pieces that do not exist', 'all', absent, /do not have/],
    ['for pieces we lack', 'none', REQUEST, /do not have/],
    ['for too much at once', 'all', odd, /do not have/],
    ['while choked', 'all', REQUEST, /choked/],
  ] as const) {
    // Without the fast extension nothing is allowed to a choked peer.
    const { swarm, node, peer } = meet(has, { flags: { fast: false } });
    const flood = concatBytes(
      ...Array.from({ length: 300 }, () => encodeBlockRef(MESSAGE.request, request)),
    );
    const reason = reasonOf(swarm, node, () => peer.send(flood));
    assert.match(reason ?? 'it was not refused', wanted, name);
  }
});

test('two thousand requests of a peer wait; a flood beyond them ends the connection', () => {
  const { swarm, node, peer } = meet('all', { host: '2001:db8::1' });
  peer.send(encodeBare(MESSAGE.interested));
  swarm.clock.run(1_000);
  peer.connection.pauseReading();
  const ask = (count: number): void =>
    peer.send(
      concatBytes(...Array.from({ length: count }, () => encodeBlockRef(MESSAGE.request, REQUEST))),
    );
  ask(2_100);
  swarm.clock.run(1_000);
  assert.equal(peer.closed, null);
  assert.match(reasonOf(swarm, node, () => ask(600)) ?? '', /floods us with requests/);
});

test('a few requests that crossed our choke are refused, not punished', () => {
  const { swarm, node, peer } = meet('all', { host: '2001:db8::1' });
  let rejects = 0;
  peer.script.onReject = () => rejects++;
  peer.send(encodeBare(MESSAGE.interested));
  swarm.clock.run(1_000);
  const [seen] = node.torrent.peers.values();
  assert.ok(seen?.upload.isUnchoked);
  seen.upload.setUnchoked(false, 0);
  seen.flush();
  const flood = Array.from({ length: 1_000 }, () => encodeBlockRef(MESSAGE.request, REQUEST));
  peer.send(...flood);
  swarm.clock.run(200);
  assert.equal(peer.closed, null);
  assert.equal(rejects, 1_000);
});

// Weights of zero made turns of no defined size: more was taken than a buffer holds.
test('a choked peer gets the pieces it is always allowed, byte for byte', () => {
  const swarm = new Swarm({ seed: 7 });
  const peer = new WirePeer(swarm, swarm.add({ has: 'all' }), { host: '80.4.4.200' });
  const allowed: number[] = [];
  const got: (readonly [number, number, Uint8Array])[] = [];
  let target = new Uint8Array(0);
  peer.script.onAllowedFast = (piece) => allowed.push(piece);
  peer.script.onBlockStart = (_index, _begin, length) => {
    target = new Uint8Array(length);
    return target;
  };
  peer.script.onBlockEnd = (index, begin) => got.push([index, begin, target]);
  swarm.clock.run(12_000);
  assert.equal(allowed.length, 10);
  for (let round = 0; round < 12; round++) {
    for (const index of allowed.toSorted((a, b) => a - b)) {
      for (const begin of [0, 16384])
        peer.send(encodeBlockRef(MESSAGE.request, { index, begin, length: 16384 }));
    }
  }
  swarm.clock.run(5_000);
  assert.equal(got.length, 240 - 12 * (allowed.includes(30) ? 1 : 0));
  for (const [index, begin, bytes] of got) {
    const start = index * 32768 + begin;
    assert.deepEqual(bytes, swarm.memory.whole.slice(start, start + 16384));
  }
});

test('blocks nobody asked for are dropped, and many of them end the connection', () => {
  const { swarm, node, peer } = meet('none');
  const noise = Array.from({ length: 250 }, () => block(0, 0, new Uint8Array(16384)));
  assert.match(reasonOf(swarm, node, () => peer.send(...noise)) ?? '', /nobody asked for/);
  assert.equal(node.torrent.work?.picker.partials.size, 0);
});

test('a flood of requests for metadata ends the connection', () => {
  const { swarm, node, peer } = meet('all', { flags: { extended: true } });
  peer.send(encodeExtended(0, text('d1:md11:ut_metadatai3eee')));
  const ask = encodeExtended(1, encodeBencode({ msg_type: 0, piece: 0 }));
  const reason = reasonOf(swarm, node, () => peer.send(...Array.from({ length: 400 }, () => ask)));
  assert.match(reason ?? 'it was not refused', /floods us with requests for metadata/);
});

// The wrong bitfield was found when the metadata came, and its error stopped the torrent.
test('a wrong bitfield before the metadata costs its sender the connection, nobody else', () => {
  for (const lie of [
    encodeBitfield(new Uint8Array(99)),
    encodeIndex(MESSAGE.have, 1_000_000),
    encodeBitfield(new Uint8Array(0)),
  ]) {
    const { swarm, node, peer } = meet('none', { isMagnet: true });
    peer.send(lie);
    const seeder = swarm.add({ has: 'all' });
    swarm.introduce([node, seeder]);
    assert.ok(swarm.runUntilComplete([node], 60_000), swarm.describe());
    assert.notEqual(peer.closed, null);
  }
});

test('pieces spoken of before the metadata is known do no harm', () => {
  const { swarm, node, peer } = meet('none', { isMagnet: true });
  const early = block(0, 0, new Uint8Array(16384));
  const reason = reasonOf(swarm, node, () => peer.send(early));
  assert.match(reason ?? 'it was not refused', /before there were any/);
});

// The first size offered was the only one, for ever; and a refusal was waited for, for ever.
test('lies about the size of the metadata do not keep it from us', () => {
  for (const answer of ['silence', 'reject', 'garbage', 'short'] as const) {
    const { swarm, node, peer } = meet('none', { isMagnet: true, flags: { extended: true } });
    peer.script.onExtended = (id) => {
      if (id !== 3) return;
      const type = answer === 'reject' ? 2 : 1;
      const size = answer === 'garbage' ? 16384 : 5;
      const head = encodeBencode({ msg_type: type, piece: 0, total_size: 40_000 });
      const body = type === 2 ? new Uint8Array(0) : new Uint8Array(size);
      if (answer !== 'silence') peer.send(encodeExtended(1, concatBytes(head, body)));
    };
    peer.send(encodeExtended(0, text('d1:md11:ut_metadatai3ee13:metadata_sizei16384ee')));
    swarm.clock.run(300);
    const seeder = swarm.add({ has: 'all' });
    swarm.introduce([node, seeder]);
    assert.ok(swarm.runUntilComplete([node], 120_000), `${answer}: ${swarm.describe()}`);
  }
});

// It was asked again as soon as it had refused, at the speed of the network, for ever.
test('a peer that announces pieces and refuses every request is asked rarely', () => {
  const { swarm, node, peer } = meet('none');
  let requests = 0;
  peer.script.onRequest = (index, begin, length) => {
    requests++;
    peer.send(encodeBlockRef(MESSAGE.reject, { index, begin, length }));
  };
  peer.send(encodeBare(MESSAGE.haveAll), encodeBare(MESSAGE.unchoke));
  swarm.clock.run(5_000);
  assert.ok(requests > 0 && requests < 1_000, `${requests} requests in 5 s`);
  const seeder = swarm.add({ has: 'all' });
  swarm.introduce([node, seeder]);
  assert.ok(swarm.runUntilComplete([node], 60_000), swarm.describe());
});

// The block that had begun to arrive was nobody else's to fetch, as long as its sender held on.
test('a peer that stops in the middle of a block does not hold the block', () => {
  const { swarm, node, peer } = meet('none');
  peer.script.onRequest = (index, begin, length) => {
    peer.script.onRequest = () => {};
    const whole = block(index, begin, new Uint8Array(length));
    peer.send(whole.subarray(0, 5_000));
    swarm.clock.after(70_000, () => peer.send(whole.subarray(5_000)));
  };
  peer.send(encodeBare(MESSAGE.haveAll), encodeBare(MESSAGE.unchoke));
  swarm.clock.run(1_000);
  const seeder = swarm.add({ has: 'all' });
  swarm.introduce([node, seeder]);
  assert.ok(swarm.runUntilComplete([node], 60_000), swarm.describe());
  assert.equal(peer.closed, null);
  swarm.clock.run(20_000);
  assert.deepEqual(node.bans, []);
});

test('garbage in pieces gets its sender banned at once, and its host stays out', () => {
  const { swarm, node, peer } = meet('none', { host: '192.0.2.7' });
  peer.script.onRequest = (index, begin, length) => {
    peer.send(block(index, begin, new Uint8Array(length)));
  };
  peer.send(encodeBare(MESSAGE.haveAll), encodeBare(MESSAGE.unchoke));
  swarm.clock.run(2_000);
  assert.deepEqual(node.bans, ['192.0.2.7']);
  assert.notEqual(peer.closed, null);
  const again = new WirePeer(swarm, node, { host: '192.0.2.7' });
  swarm.clock.run(2_000);
  assert.equal(again.closed, 'the peer hung up');
});

test('a handshake that does not come, or is of another protocol, ends the connection', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'all' });
  const silent = new WirePeer(swarm, node);
  silent.onOpen = () => {};
  const slow = new WirePeer(swarm, node);
  slow.onOpen = () => slow.send(Uint8Array.of(0x13));
  const web = new WirePeer(swarm, node);
  web.onOpen = () => web.send(text('GET / HTTP/1.1\r\n\r\n'));
  const other = new WirePeer(swarm, node);
  other.onOpen = () => other.send(text(`\x13BitTorrent protocol${'\0'.repeat(48)}`));
  swarm.clock.run(1_000);
  assert.deepEqual(
    [silent, slow, web, other].map((peer) => peer.closed === null),
    [true, true, false, false],
  );
  swarm.clock.run(10_000);
  assert.equal(swarm.network.openEnds, 0);
});

test('a second connection with the same peer id is refused', () => {
  const { swarm, node, peer } = meet('all');
  const twin = new WirePeer(swarm, node, { host: '10.9.9.8' });
  swarm.clock.run(1_000);
  assert.equal(peer.closed, null);
  assert.notEqual(twin.closed, null);
  assert.equal(node.torrent.peers.size, 1);
});

test('a node that dials itself notices, and does not try again', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'none' });
  node.torrent.addPeers([node.address], 'tracker');
  swarm.clock.run(5_000);
  assert.equal(node.torrent.peers.size, 0);
  assert.equal(node.torrent.book.size, 0);
});

test('connections beyond the limit are refused, and room is made when others leave', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'all', engine: { connectionsMax: 10 } });
  const peers = Array.from(
    { length: 30 },
    (_, nth) => new WirePeer(swarm, node, { peerId: new Uint8Array(20).fill(nth) }),
  );
  swarm.clock.run(1_000);
  assert.equal(peers.filter((peer) => peer.closed === null).length, 10);
  for (const peer of peers) if (peer.closed === null) peer.connection.close('enough');
  swarm.clock.run(1_000);
  const late = new WirePeer(swarm, node, { peerId: new Uint8Array(20).fill(99) });
  swarm.clock.run(1_000);
  assert.equal(late.closed, null);
});

// Connections that never shook hands filled every place for ten seconds at a time.
test('silent connections make room for those that come to talk', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'all', engine: { connectionsMax: 10 } });
  const silent = Array.from({ length: 30 }, () => new WirePeer(swarm, node));
  for (const peer of silent) peer.onOpen = () => {};
  swarm.clock.run(1_000);
  assert.equal(silent.filter((peer) => peer.closed === null).length, 10);
  const leecher = swarm.add({ has: 'none' });
  leecher.torrent.addPeers([node.address], 'user');
  assert.ok(swarm.runUntilComplete([leecher], 5_000), swarm.describe());
});

test('an engine has five hundred connections, unless it is told otherwise', () => {
  const swarm = new Swarm({ seed: 7 });
  const node = swarm.add({ has: 'all' });
  const silent = Array.from({ length: 600 }, () => new WirePeer(swarm, node));
  for (const peer of silent) peer.onOpen = () => {};
  swarm.clock.run(1_000);
  const isOpen = silent.map((peer) => peer.closed === null);
  assert.deepEqual([isOpen.indexOf(true), isOpen.filter(Boolean).length], [100, 500]);
});

// A few peers that did not read held all read buffers, and nobody else was served any more.
test('peers that ask for much and read nothing starve nobody', () => {
  const swarm = new Swarm({ seed: 7, totalBytes: 4_000_000 });
  const node = swarm.add({ has: 'all' });
  const idlers = Array.from(
    { length: 60 },
    (_, nth) => new WirePeer(swarm, node, { peerId: new Uint8Array(20).fill(nth) }),
  );
  for (const idler of idlers) {
    idler.script.onChoke = (isChoking) => {
      if (isChoking) return;
      idler.connection.pauseReading();
      for (let index = swarm.pieceCount - 2; index >= 0; index--) {
        idler.send(encodeBlockRef(MESSAGE.request, { ...REQUEST, index }));
      }
    };
  }
  swarm.clock.run(500);
  for (const idler of idlers) idler.send(encodeBare(MESSAGE.interested));
  swarm.clock.run(1_000);
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce([node, leecher]);
  assert.ok(swarm.runUntilComplete([leecher], 60_000), swarm.describe());
  for (const peer of node.torrent.peers.values()) {
    assert.ok(peer.upload.unsentBytes <= 1_000_000, `${peer.upload.unsentBytes} bytes wait`);
  }
});
