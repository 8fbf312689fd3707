/**
 * Buyers that cheat, against a real seller process: each trick is refused by its code and costs the
 * seller a stated number of bytes at most, and an honest buyer is served all the while.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { atto, attoPerMib, attoPerSecond, bytes, parseAddress } from '../../src/units/index.ts';
import type { Child } from '../support/children.ts';
import { sha256OfFile } from '../support/files.ts';
import { Payer } from './payer.ts';
import { BTT, portOf, Stage } from './stage.ts';
import { WirePeer } from './wire-peer.ts';

const KIB = 1_024;
const MIB = 1_048_576;
const PIECE_BYTES = 65_536;

/** What the seller sends on trust, and lets go unpaid at first (specification, section 5). */
const GRACE_BYTES = MIB;
const WINDOW_BYTES = 64 * KIB;

const CAP = 5n * BTT;

let stage: Stage;
let seller: Child;
let honest: Child;
let port: number;
let payer: Payer;
let nextKey = 100;

before(async () => {
  stage = await Stage.open('hostile', 24 * MIB, PIECE_BYTES);
  await stage.openChain('seller', 'honest');
  const options = ['--ask', '100', '--upload-limit', '2M'];
  seller = stage.seed({ name: 'seller', options });
  port = await portOf(seller);
  await seller.waitForLine(({ event }) => event === 'seeding');
  payer = await Payer.open(stage.chainFolder, keyOf(1));
  const money = ['--max-price', '1000', '--budget', '100'];
  honest = await stage.download({ name: 'honest', peers: [port], options: money });
});

after(async () => {
  await payer?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setUint32(28, number);
  return key;
}

/** A stranger that speaks `bw_pay` with the seller; nobody has met it before. */
function stranger(): Promise<WirePeer> {
  const key = keyOf(nextKey++);
  return WirePeer.dial(port, { torrent: stage.torrent, pieceLengthBytes: PIECE_BYTES, key });
}

/** And that has accepted the seller's quote; the seller's payee. */
async function bargain(peer: WirePeer): Promise<ReturnType<typeof parseAddress>> {
  peer.hello();
  const { payee } = await peer.first('hello');
  const price = { budget: attoPerSecond(BTT), maxPrice: attoPerMib(BTT), rate: bytes(0) };
  peer.say({ type: 'bid', ...price, sequence: 1 });
  const { sequence } = await peer.first('quote');
  peer.say({ type: 'accept', sequence });
  return payee;
}

test('a hello of another chain, contract or key is refused', async () => {
  const wrong = [
    ['other-chain', { chainId: 199 }],
    ['other-chain', { escrow: parseAddress(`0x${'5e'.repeat(20)}`) }],
    ['hello-signature', { payee: parseAddress(`0x${'11'.repeat(20)}`) }],
  ] as const;
  for (const [code, changes] of wrong) {
    await using peer = await stranger();
    peer.hello(changes);
    await peer.refused(code);
  }
});

test('a bid without hello, and an accept of a quote never made, are refused', async () => {
  await using silent = await stranger();
  silent.say({ type: 'accept', sequence: 1 });
  await silent.refused('hello-first');
  await using peer = await stranger();
  await bargain(peer);
  peer.say({ type: 'accept', sequence: 77 });
  await peer.refused('quote-unknown');
});

test('vouchers replayed, lowered, above the cap, or wrongly signed are refused', async () => {
  await using peer = await stranger();
  const payee = await bargain(peer);
  const offer = await payer.openLane(CAP, payee);
  peer.say({ type: 'lane', ...offer });
  await peer.first('ack');
  const good = payer.voucher(offer, 1_000n);
  peer.say(good);
  await peer.until('the voucher is stored', () => peer.all('ack').at(-1)?.amount === 1_000n);
  const tricks = [
    ['voucher-not-more', good],
    ['voucher-not-more', payer.voucher(offer, 999n)],
    ['voucher-above-cap', payer.voucher(offer, CAP + 1n)],
    ['voucher-signature', payer.voucher(offer, 2_000n, { key: keyOf(666) })],
    ['voucher-signature', payer.voucher(offer, 3_000n, { domain: { chainId: 199 } })],
    [
      'voucher-signature',
      payer.voucher(offer, 4_000n, { domain: { escrow: parseAddress(`0x${'5e'.repeat(20)}`) } }),
    ],
    ['voucher-unknown-lane', { ...payer.voucher(offer, 5_000n), lane: 9 }],
  ] as const;
  for (const [at, [code, message]] of tricks.entries()) {
    peer.say(message);
    await peer.until(`refusal ${at}`, () => peer.errors.length === at + 1);
    assert.equal(peer.errors.at(-1), code);
  }
  // None of them has moved the ledger, and none has cost the lane.
  peer.say(payer.voucher(offer, 1_001n));
  await peer.until('it goes on', () => peer.all('ack').at(-1)?.amount === 1_001n);
});

test('a lane that is not on the chain, not for the seller, or not in the tree is refused', async () => {
  await using peer = await stranger();
  const payee = await bargain(peer);
  const mallory = parseAddress(`0x${'66'.repeat(20)}`);
  peer.say({ type: 'lane', ...(await payer.openLane(CAP, mallory)) });
  await peer.refused('lane-not-mine');
  const offer = await payer.openLane(CAP, payee, mallory);
  const path = offer.path.map((step) => ({ ...step, hash: offer.header.root }));
  peer.say({ type: 'lane', ...offer, path });
  await peer.refused('path-root');
  peer.say({ type: 'lane', ...offer, lane: { ...offer.lane, cap: atto(CAP * 2n) } });
  await peer.refused('path-sum');
  peer.say({ type: 'lane', ...offer, path: [] });
  await peer.refused('path-length');
  peer.say({ type: 'lane', ...payer.forge(CAP, payee) });
  await peer.refused('lane-unknown');
  assert.equal(peer.all('ack').length, 0);
});

test('bencode garbage ends the connection', async () => {
  for (const garbage of ['d1:t7:vouchere', 'd1:t', 'i1e', `d1:t5:accept3:seqi-1ee`]) {
    await using peer = await stranger();
    peer.hello();
    await peer.first('hello');
    peer.sayRaw(Buffer.from(garbage));
    await peer.until(`closed after ${garbage}`, () => peer.isClosed);
  }
});

test('a flood of vouchers and messages is cut off, and the seller lives on', async () => {
  await using peer = await stranger();
  const payee = await bargain(peer);
  const offer = await payer.openLane(CAP, payee);
  peer.say({ type: 'lane', ...offer });
  await peer.first('ack');
  const forged = payer.voucher(offer, 10n, { key: keyOf(667) });
  for (let at = 0; at < 5_000; at++) peer.say({ ...forged, amount: atto(10n + BigInt(at)) });
  await peer.until('closed', () => peer.isClosed);
  await using next = await stranger();
  await bargain(next);
});

test('who never pays gets the grace and no more, and is welcome among the free', async () => {
  await using peer = await stranger();
  await bargain(peer);
  peer.leech();
  const { grace } = await peer.first('hello');
  assert.ok(grace <= GRACE_BYTES);
  await using paying = await stranger();
  const payee = await bargain(paying);
  paying.say({ type: 'lane', ...(await payer.openLane(CAP, payee)) });
  await paying.first('ack');
  paying.leech();
  // Five seconds without a voucher; it had a lane, so it is asked sooner than the other.
  await paying.refused('unpaid');
  const lost = paying.receivedBytes;
  assert.ok(lost <= grace + WINDOW_BYTES, `${lost} bytes were lost to a buyer that never paid`);
  assert.ok(peer.receivedBytes <= GRACE_BYTES, `${peer.receivedBytes} bytes of grace`);
  paying.say({ type: 'accept', sequence: 0 });
  paying.leech();
  await paying.until('it is served as a free peer', () => paying.receivedBytes > lost + MIB / 4);
});

test('the honest buyer has been served all the while, and has paid', async () => {
  await honest.success();
  const summary = honest.lines().at(-1);
  assert.ok(BigInt(String(summary?.['paidAtto'])) > 0n);
  assert.equal(sha256OfFile(stage.copy('honest')), sha256OfFile(stage.torrent.contentPath));
  const end = await seller.stop('SIGINT', 15_000);
  assert.equal(end.code, 0, seller.output());
  // Beside the honest buyer's money the seller has the 1,001 atto of the replayed vouchers' lane.
  const earned = BigInt(String(seller.lines().at(-1)?.['earnedAtto']));
  assert.equal(earned, BigInt(String(summary?.['paidAtto'])) + 1_001n);
});
