/**
 * `npm run demo`: a real file through a real swarm with payment, on this machine. A local chain, a
 * tracker, a seller with a limited upload, a buyer, and two who do not pay, each its own process.
 */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatSize, parseSize } from '../src/units/index.ts';
import { Actor } from './actor.ts';
import { printTally } from './report.ts';
import { show } from './screen.ts';
import { makeRandomFile, sha256Of, takeFile } from './source-file.ts';
import { FREE_NAMES, type Plot, Stage } from './stage.ts';
import { gasOf, isConserved, readSums, type Tally } from './tally.ts';

const USAGE = `npm run demo -- [--file PATH | --size 256MiB] [--upload 16M] [--json] [--keep]

  --file PATH    move this file instead of a random one
  --size SIZE    size of the random file (default 256MiB)
  --upload RATE  the seller's upload (default 16M a second)
  --json         end with one JSON object on standard output
  --keep         leave the folder with all copies and wallets, and say where it is
`;

const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    size: { type: 'string', default: '256MiB' },
    upload: { type: 'string', default: '16M' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** People read progress on standard error; with `--json` standard output is the object alone. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Plays the whole story in `folder`. */
async function play(folder: string): Promise<Tally> {
  const startedAt = performance.now();
  const plot = await makePlot(folder);
  const source = join(folder, 'source', plot.file);
  const { size: bytes } = await stat(source);
  const stage = new Stage(plot);
  say(`${plot.file}, ${formatSize(bytes)}; the seller uploads ${plot.sellerUpload}iB/s in all`);
  const { chain, tracker } = await stage.prepare();
  const cast = await stage.play();
  const ends = Promise.all([cast.buyer, ...cast.free].map((actor) => actor.summary()));
  await show(cast, bytes, ends);
  const [buyer, ...free] = await ends;
  await cast.seller.stop();
  say('settling on the chain');
  const settlement = await stage.settle();
  const rpcUrl = `${chain.latest.get('listening')?.['rpcUrl']}`;
  const gasUsed = await gasOf(settlement, rpcUrl);
  await Promise.all([chain.stop(), tracker.stop()]);
  const sums = readSums(settlement, buyer ?? {});
  const hashes = await Promise.all(
    [source, ...['buyer', ...FREE_NAMES].map((name) => stage.copyOf(name))].map(sha256Of),
  );
  const sha256Ok = hashes.every((hash) => hash === hashes[0]);
  const buyerSeconds = Number(buyer?.['seconds']);
  const freeSeconds = free.map((fact) => Number(fact['seconds']));
  const mean = freeSeconds.reduce((sum, seconds) => sum + seconds, 0) / freeSeconds.length;
  const conserved = isConserved(sums);
  return {
    ok: sha256Ok && conserved && sums.paid > 0n,
    bytes,
    sha256: hashes[0] ?? '',
    sha256Ok,
    buyer: { seconds: buyerSeconds },
    free: freeSeconds.map((seconds) => ({ seconds })),
    speedup: Math.round((100 * mean) / buyerSeconds) / 100,
    paidAtto: `${sums.paid}`,
    earnedAtto: `${sums.earned}`,
    claimedAtto: `${sums.claimed}`,
    refundedAtto: `${sums.refunded}`,
    depositAtto: `${sums.deposit}`,
    gasUsed,
    vouchers: Number(buyer?.['vouchers'] ?? 0),
    conserved,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
  };
}

/** Puts the file in place and fixes limits and prices. */
async function makePlot(folder: string): Promise<Plot> {
  const file = values.file === undefined ? 'demo.bin' : basename(values.file);
  const source = join(folder, 'source', file);
  await mkdir(join(folder, 'source'), { recursive: true });
  if (values.file === undefined) await makeRandomFile(source, parseSize(values.size));
  else await takeFile(resolve(values.file), source);
  return {
    folder,
    file,
    sellerUpload: values.upload,
    homeUpload: '512K',
    ask: '1000',
    maxPrice: '4000',
    deposit: '2000',
  };
}

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'bidwidth-demo-'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143));
  }
  process.on('exit', () => {
    for (const actor of Actor.running) actor.kill();
  });
  try {
    const tally = await play(folder);
    if (values.json) process.stdout.write(`${JSON.stringify(tally)}\n`);
    else printTally(tally);
    if (!tally.ok) process.exitCode = 1;
  } finally {
    for (const actor of Actor.running) actor.kill();
    if (values.keep) say(`everything is in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (failure) {
  say(`demo: ${failure instanceof Error ? failure.message : failure}`);
  process.exitCode = 1;
}
