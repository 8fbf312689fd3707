/**
 * A thousand paying downloaders in one process, for the `payers` scenario.
 *
 *   node bench/payment/payers-work.ts PORT TORRENT DATA_DIR CHAIN_DIR PAYERS SECONDS
 *
 * Prints `{"event":"paying"}` once all of them pay, goes on for so many seconds, and then prints
 * what came of it. Lanes are of one wallet, 128 to an allotment.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadSecp256k1 } from '../../src/chain/index.ts';
import { openMoney } from '../../src/daemon/money/index.ts';
import { EscrowDigests, type LaneOffer } from '../../src/payment/index.ts';
import { openLocalKey } from '../../src/platform/keystore/index.ts';
import { type Address, atto, attoPerMib } from '../../src/units/index.ts';
import { parseMetainfo } from '../../src/wire/index.ts';
import { LightPayer, type PayerTally, type PayerWorld } from './light-payer.ts';

/** Each lane can pay for ten GiB at the ask of the scenario. */
const LANE_CAP = 10n ** 19n;
/** At the ask of 1 BTT a GiB: more is bid for than is for sale, so there is a price to find. */
const BUDGET = (10n ** 18n * 128n) / (1_024n * 1_024n);
const MAX_PRICE = (4n * 10n ** 18n) / 1_024n;
/** Connections are not opened all in the same moment. */
const DIAL_MS = 2;
const START_MS_MAX = 120_000;

const [portText, torrentPath = '', dataFolder = '', localChainFolder = '', ...rest] =
  process.argv.slice(2);
const [payerCount = 1_000, seconds = 20] = rest.map(Number);

const keys = await openLocalKey(join(dataFolder, 'local-key.json'));
const money = await openMoney({
  ...{ dataFolder, keys, network: { name: 'local' }, localChainFolder },
  autoDepositMax: atto(LANE_CAP * BigInt(payerCount) * 2n),
  purse: { firstGatherMs: 500, gatherMs: 100 },
});
const { chainId, escrow } = money.identity();
const tally: PayerTally = {
  ...{ payingCount: 0, receivedBytes: 0, voucherCount: 0, ackMs: [], errors: [] },
};
const world: PayerWorld = {
  ...{ port: Number(portText), torrent: await readTorrent(torrentPath), tally },
  ...{ money: { chainId, escrow }, digests: new EscrowDigests({ chainId, escrow }) },
  ...{ secp256k1: loadSecp256k1().secp256k1, hotKey: keys.hotKey, requestLane },
  bid: { budget: atto(BUDGET), maxPrice: attoPerMib(MAX_PRICE) },
};
const payers: LightPayer[] = [];
for (let nth = 1; nth <= payerCount; nth++) {
  payers.push(new LightPayer(world, nth));
  await sleep(DIAL_MS);
}
const deadline = performance.now() + START_MS_MAX;
while (tally.payingCount < payerCount) {
  if (performance.now() > deadline) fail(`only ${tally.payingCount} of ${payerCount} came to pay`);
  await sleep(100);
}
console.log(JSON.stringify({ event: 'paying', payerCount }));
// Prices move and windows grow in the first seconds.
await sleep(3_000);
const before = { ...tally, ackCount: tally.ackMs.length, at: performance.now() };
console.log(JSON.stringify({ event: 'measuring' }));
await sleep(seconds * 1_000);
const elapsed = (performance.now() - before.at) / 1_000;
const ackMs = tally.ackMs.slice(before.ackCount).sort((a, b) => a - b);
console.log(
  JSON.stringify({
    ok: true,
    payerCount: tally.payingCount,
    seconds: elapsed,
    mibPerSecond: (tally.receivedBytes - before.receivedBytes) / 2 ** 20 / elapsed,
    vouchersPerSecond: ackMs.length / elapsed,
    ackP50Ms: ackMs[Math.floor(ackMs.length * 0.5)] ?? Number.NaN,
    ackP99Ms: ackMs[Math.floor(ackMs.length * 0.99)] ?? Number.NaN,
    errors: tally.errors.slice(0, 5),
    errorCount: tally.errors.length,
  }),
);
for (const payer of payers) payer.close();
await money.close();

function requestLane(payee: Address): Promise<LaneOffer> {
  return new Promise((resolve, reject) =>
    money.purse.requestLane(payee, atto(LANE_CAP), (grant) =>
      grant.ok ? resolve(grant.offer) : reject(new Error(grant.refusal.text)),
    ),
  );
}

async function readTorrent(path: string): Promise<PayerWorld['torrent']> {
  const hash = (name: string) => (view: Uint8Array) => createHash(name).update(view).digest();
  const digests = { sha1: hash('sha1'), sha256: hash('sha256') };
  const { infoHashV1, totalBytes, pieceLengthBytes } = parseMetainfo(await readFile(path), digests);
  if (!infoHashV1) throw new Error('the torrent has no v1 hash');
  return { infoHash: infoHashV1, totalBytes, pieceLengthBytes };
}

function fail(why: string): never {
  const stages = Object.entries(Object.groupBy(payers, ({ stage }) => stage));
  const text = stages.map(([stage, those]) => `${those?.length} ${stage}`).join(', ');
  console.error(`${why}: ${text}; errors: ${tally.errors.slice(0, 5).join(', ')}`);
  process.exit(1);
}
