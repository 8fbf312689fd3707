/** What paying costs in speed: the same download between two of our nodes, free and paid. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bidwidthCommand } from '../../test/interop/clients/bidwidth.ts';
import { portOf, Stage } from '../../test/market/stage.ts';
import type { JsonLine } from '../../test/support/children.ts';
import { sha256OfFile } from '../../test/support/files.ts';
import { measure } from '../measure.ts';
import type { Contender, PreparedScenario, Run, Scenario, ScenarioOptions } from './scenario.ts';

/** BTT per GiB, the buyer's limit, and what it may spend in one run: money is never short. */
const ASK_BTT = '1';
const MAX_PRICE_BTT = '2';
const BUDGET_BTT = '1000';

/** See the head of this file. */
export const paid: Scenario = {
  name: 'paid',
  conditions:
    'one random file from a seller node to a buyer node, both ours, over loopback, in memory, ' +
    'TCP, plaintext, a local chain. One seller, unlimited upload, serves both contenders. Own ' +
    'seconds are of the transfer itself; wall time is the whole process with wallet and chain.',
  defaults: { sizeBytes: 2 * 2 ** 30 },
  goals: [
    { contender: 'buyer', figure: 'steadyMibPerSecond', atLeast: 0.97, against: 'free' },
    { contender: 'buyer', figure: 'ownMibPerSecond', atLeast: 0.97, against: 'free' },
  ],
  prepare,
};

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  const stage = await Stage.open('bench-paid', options.sizeBytes, options.pieceLengthBytes);
  try {
    await stage.openChain('seller', 'buyer');
    const seller = stage.seed({ name: 'seller', options: ['--ask', ASK_BTT] });
    const port = await portOf(seller);
    await seller.waitForLine((line) => line.event === 'seeding');
    const expected = sha256OfFile(stage.torrent.contentPath);
    const contender = (name: string, money: readonly string[]): Contender => ({
      name,
      unavailable: null,
      run: async (): Promise<Run> => {
        const folder = join(stage.home(name), 'got');
        await rm(folder, { recursive: true, force: true });
        // Nor may it find there what the run before has checked.
        await rm(join(stage.home(name), 'resume'), { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        const measurement = await measure(
          bidwidthCommand([
            ...['download', stage.torrent.torrentPath, '--to', folder, '--json'],
            ...['--peer', `127.0.0.1:${port}`, '--port', '0', '--bind', '127.0.0.1'],
            ...[
              '--no-trackers',
              '--no-dht',
              '--no-lsd',
              '--no-nat',
              '--no-pex',
              '--data-dir',
              stage.home(name),
              ...money,
            ],
          ]),
        );
        if (sha256OfFile(join(folder, stage.torrent.name)) !== expected) {
          throw new Error(`${name} ended well, but its copy differs from the original`);
        }
        const summary = measurement.lines.findLast((line) => line.ok === true) ?? {};
        const paidBtt = Number(BigInt(String(summary['paidAtto']))) / 1e18;
        const steadyMibPerSecond = steadyRate(measurement.lines, options.sizeBytes);
        const ownSeconds = Number(summary.seconds);
        const ownMibPerSecond = options.sizeBytes / 2 ** 20 / ownSeconds;
        return { measurement, extra: { ownSeconds, ownMibPerSecond, steadyMibPerSecond, paidBtt } };
      },
    });
    const money = ['--max-price', MAX_PRICE_BTT, '--budget', BUDGET_BTT, ...stage.chainOptions];
    const contenders = [contender('free', []), contender('buyer', money)];
    return { contenders, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() };
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * MiB a second from the first progress line after a second to the end: what a transfer runs at once
 * lanes are open and code is warm. `own s` and `wall s` count all that comes before, too.
 */
function steadyRate(lines: readonly JsonLine[], sizeBytes: number): number {
  const first = lines.find((line) => line.event === 'progress' && Number(line['seconds']) >= 1);
  const summary = lines.findLast((line) => line.ok === true);
  if (!first || !summary) return Number.NaN;
  const bytes = sizeBytes - Number(first['haveBytes']);
  return bytes / 2 ** 20 / (Number(summary['seconds']) - Number(first['seconds']));
}
