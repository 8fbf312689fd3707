/**
 * Sellers that cheat, against a real buyer process that also knows an honest seed: the buyer
 * finishes, and what each trick has cost it is within one unverified piece.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { atto, attoPerMib, bytes } from '../../src/units/index.ts';
import { sha256OfFile } from '../support/files.ts';
import { portOf, Stage } from './stage.ts';
import { serveWirePeer, type WirePeer, type WirePeerServer } from './wire-peer.ts';

const MIB = 1_048_576;
const PIECE_BYTES = 65_536;

/** 500 BTT per GiB in atto per MiB: the buyer's limit. */
const LIMIT_ATTO_PER_MIB = (500n * 10n ** 18n) / 1_024n;

/** Prices of the hostile: below and above that. */
const CHEAP = LIMIT_ATTO_PER_MIB / 10n;
const DEAR = LIMIT_ATTO_PER_MIB + 1n;

test('garbage, silence, overcharging and changing prices cost a buyer a piece at most', async () => {
  await using stage = await Stage.open('hostile-seller', 8 * MIB, PIECE_BYTES);
  await stage.openChain('buyer');
  // Slow enough that the hostile have all the time they want.
  const seed = stage.seed({ name: 'honest', options: ['--upload-limit', '600K'] });
  const honestPort = await portOf(seed);
  await seed.waitForLine(({ event }) => event === 'seeding');

  const delivers = (peer: WirePeer): void => {
    peer.onRequest = (block) => peer.deliver(block, randomBytes(block.length));
  };
  await using garbage = await hostile(stage, 1, (peer) => quote(peer, CHEAP, 1), delivers);
  await using silent = await hostile(stage, 2, (peer) => quote(peer, CHEAP, 1));
  await using dear = await hostile(stage, 3, (peer) => quote(peer, DEAR, 1));
  await using fickle = await hostile(stage, 4, (peer) => {
    quote(peer, CHEAP, 1);
    for (let sequence = 2; sequence < 40; sequence++) {
      quote(peer, sequence % 2 === 0 ? DEAR : CHEAP, sequence);
    }
  });
  const servers = [garbage, silent, dear, fickle];

  const options = ['--max-price', '500', '--budget', '100'];
  const peers = [honestPort, ...servers.map(({ port }) => port)];
  const buyer = await stage.download({ name: 'buyer', peers, options });
  await buyer.success();
  assert.equal(sha256OfFile(stage.copy('buyer')), sha256OfFile(stage.torrent.contentPath));

  for (const { peers: met } of servers) assert.ok(met.length > 0, 'the buyer has met them all');
  const piece = costOfPiece(CHEAP);
  assert.ok(paidTo(garbage) <= piece, `${paidTo(garbage)} for garbage, a piece is ${piece}`);
  assert.equal(paidTo(silent), 0n, 'nothing was delivered');
  assert.equal(paidTo(dear), 0n, 'too dear');
  assert.equal(paidTo(fickle), 0n, 'nothing was delivered');
  const accepted = dear.peers.flatMap((peer) => peer.all('accept'));
  assert.deepEqual(
    accepted.filter(({ sequence }) => sequence > 0),
    [],
    'too dear is not accepted',
  );
  const tooDear = fickle.peers
    .flatMap((peer) => peer.all('accept'))
    .map(({ sequence }) => sequence);
  assert.ok(
    tooDear.every((sequence) => sequence % 2 === 1 || sequence === 0),
    `${tooDear}`,
  );
  const summary = buyer.lines().at(-1);
  assert.ok(Number(summary?.['failedPieces']) > 0, 'garbage was delivered');
  assert.equal(BigInt(String(summary?.['paidAtto'])), sum(servers.map(paidTo)));
});

/** A seller that has everything, and then does as the script says. */
function hostile(
  stage: Stage,
  key: number,
  script: (peer: WirePeer) => void,
  atOnce: (peer: WirePeer) => void = () => {},
): Promise<WirePeerServer> {
  const secret = new Uint8Array(32).fill(key);
  const { torrent } = stage;
  return serveWirePeer({ torrent, pieceLengthBytes: PIECE_BYTES, key: secret }, (peer) => {
    atOnce(peer);
    peer.hello({ reserve: attoPerMib(1n), grace: bytes(MIB) });
    peer.offerEverything();
    peer.first('bid').then(
      () => script(peer),
      () => {},
    );
    acknowledgeAll(peer);
  });
}

/** Takes every lane and voucher, as a seller would that wants to be paid. */
function acknowledgeAll(peer: WirePeer): void {
  let seen = 0;
  const timer = setInterval(() => {
    if (peer.isClosed) clearInterval(timer);
    for (const message of peer.heard.slice(seen)) {
      seen += 1;
      if (message.type !== 'lane' && message.type !== 'voucher') continue;
      const lane = message.type === 'lane' ? message.lane.index : message.lane;
      const amount = message.type === 'lane' ? 0n : message.amount;
      const { allotment } = message;
      const terms = { metered: bytes(0), window: bytes(16 * MIB) };
      peer.say({ type: 'ack', allotment, lane, amount: atto(amount), ...terms });
    }
  }, 5);
  timer.unref();
}

function quote(peer: WirePeer, price: bigint, sequence: number): void {
  const terms = { share: bytes(MIB), tick: bytes(PIECE_BYTES), window: bytes(16 * MIB) };
  peer.say({ type: 'quote', price: attoPerMib(price), ...terms, sequence });
}

/** All that a seller's connections hold vouchers for. */
function paidTo({ peers }: WirePeerServer): bigint {
  const lanes = new Map<string, bigint>();
  for (const { allotment, lane, amount } of peers.flatMap((peer) => peer.all('voucher'))) {
    const key = `${allotment}/${lane}`;
    if (amount > (lanes.get(key) ?? 0n)) lanes.set(key, amount);
  }
  return sum([...lanes.values()]);
}

function costOfPiece(price: bigint): bigint {
  return (price * BigInt(PIECE_BYTES) + BigInt(MIB) - 1n) / BigInt(MIB);
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
