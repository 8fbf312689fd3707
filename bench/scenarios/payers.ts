/** A seller with a thousand paying peers at once: how late its event loops run, what it costs. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bidwidthCommand } from '../../test/interop/clients/bidwidth.ts';
import { portOf, Stage } from '../../test/market/stage.ts';
import { type Child, type JsonLine, startChild } from '../../test/support/children.ts';
import type { Measurement } from '../measure.ts';
import type { Contender, PreparedScenario, Run, Scenario, ScenarioOptions } from './scenario.ts';

const PAYERS: string = fileURLToPath(new URL('../payment/payers-work.ts', import.meta.url));
const LOOP_DELAY: string = new URL('../loop-delay.ts', import.meta.url).href;

/** A thousand peers at 64 KiB a second: each pays about once a second, for its tick of 64 KiB. */
const UPLOAD_LIMIT = '64M';
const MEASURED_SECONDS = 20;
const TIMEOUT_MS = 300_000;
const ASK_BTT = '1';

/** See the head of this file. */
export const payers: Scenario = {
  name: 'payers',
  conditions:
    'one seller node, started by its command line, upload limited to 64 MiB/s, a local chain. ' +
    'Payers are connections of one process with keys, lanes and signatures of their own; they ' +
    `check no piece and keep nothing. Measured for ${MEASURED_SECONDS} s once all of them pay. ` +
    'Loop delays are of monitorEventLoopDelay, looked at every 10 ms, which are taken off.',
  defaults: { sizeBytes: 2 ** 28, runs: 1 },
  columns: [
    { title: 'vouchers/s', figure: 'vouchersPerSecond', digits: 0 },
    { title: 'MiB/s', figure: 'paidMibPerSecond', digits: 1 },
    { title: 'transfer p99 ms', figure: 'transferP99Ms', digits: 1 },
    { title: 'main p99 ms', figure: 'mainP99Ms', digits: 1 },
    { title: 'transfer max ms', figure: 'transferMaxMs', digits: 1 },
    { title: 'main max ms', figure: 'mainMaxMs', digits: 1 },
    { title: 'ack p99 ms', figure: 'ackP99Ms', digits: 1 },
    { title: 'seller CPU s a s', figure: 'cpuShare' },
    { title: 'seller RSS MB', figure: 'peakRssBytes', unit: 1e6, digits: 0 },
  ],
  goals: [
    { contender: '1000 payers', figure: 'transferP99Ms', atMost: 50 },
    { contender: '1000 payers', figure: 'mainP99Ms', atMost: 50 },
  ],
  prepare,
};

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  const stage = await Stage.open('bench-payers', options.sizeBytes, options.pieceLengthBytes);
  try {
    await stage.openChain('seller', 'payers');
    const contender = (count: number): Contender => ({
      name: `${count} payers`,
      unavailable: null,
      run: () => oneRun(stage, count),
    });
    const contenders = [contender(100), contender(1_000)];
    return { contenders, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() };
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}

/** A fresh seller and its payers, from their first connection to the end of the measurement. */
async function oneRun(stage: Stage, count: number): Promise<Run> {
  const control = join(stage.folder, 'measuring');
  await rm(control, { force: true });
  await using seller = startSeller(stage, control);
  const port = await portOf(seller);
  await seller.waitForLine((line) => line.event === 'seeding');
  await using crowd = startPayers(stage, { port, count });
  await crowd.waitForLine((line) => line.event === 'measuring');
  await writeFile(control, '');
  const before = await costOfProcess(seller.pid);
  const result = await crowd.waitForLine((line) => line.ok === true);
  const after = await costOfProcess(seller.pid);
  await rm(control);
  const main = await loopDelay(seller, 'main');
  const transfer = await loopDelay(seller, 'transfer');
  await crowd.success();
  if (Number(result['errorCount']) > 0) throw new Error(`payers heard ${result['errors']}`);
  const seconds = Number(result['seconds']);
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  const measurement: Measurement = {
    ...{ wallSeconds: seconds, userSeconds: cpuSeconds, systemSeconds: 0, threads: {} },
    ...{ peakRssBytes: after.peakRssBytes, peakAnonBytes: after.anonBytes },
    lines: seller.lines(),
  };
  const extra = {
    vouchersPerSecond: Number(result['vouchersPerSecond']),
    paidMibPerSecond: Number(result['mibPerSecond']),
    ackP50Ms: Number(result['ackP50Ms']),
    ackP99Ms: Number(result['ackP99Ms']),
    cpuShare: cpuSeconds / seconds,
    ...{ mainP99Ms: Number(main['p99Ms']), mainMaxMs: Number(main['maxMs']) },
    ...{ transferP99Ms: Number(transfer['p99Ms']), transferMaxMs: Number(transfer['maxMs']) },
  };
  return { measurement, extra };
}

function startSeller(stage: Stage, control: string): Child {
  const [node, ...args] = bidwidthCommand([
    ...['seed', stage.torrent.torrentPath, '--from', join(stage.folder, 'source'), '--json'],
    ...['--data-dir', stage.home('seller'), '--port', '0', '--bind', '127.0.0.1'],
    ...[
      '--no-trackers',
      '--no-dht',
      '--no-lsd',
      '--no-nat',
      '--no-pex',
      '--ask',
      ASK_BTT,
      '--upload-limit',
      UPLOAD_LIMIT,
    ],
    ...['--max-peers', '2000', ...stage.chainOptions],
  ]);
  const env = { LOOP_DELAY_WHILE: control };
  return startChild(node, ['--import', LOOP_DELAY, ...args], { env, timeoutMs: TIMEOUT_MS });
}

function startPayers(
  stage: Stage,
  crowd: { readonly port: number; readonly count: number },
): Child {
  return startChild(
    process.execPath,
    [
      ...[PAYERS, `${crowd.port}`, stage.torrent.torrentPath, stage.home('payers')],
      ...[stage.chainFolder, `${crowd.count}`, `${MEASURED_SECONDS}`],
    ],
    { timeoutMs: TIMEOUT_MS },
  );
}

function loopDelay(seller: Child, thread: string): Promise<JsonLine> {
  return seller.waitForLine((line) => line.event === 'loop-delay' && line['thread'] === thread);
}

interface ProcessCost {
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  readonly anonBytes: number;
}

/** Linux counts CPU time in hundredths of a second. */
const CLOCK_TICKS = 100;

async function costOfProcess(pid: number): Promise<ProcessCost> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // After the program's name, which may contain anything, fields 14 and 15 are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1_024;
  return { cpuSeconds, peakRssBytes: kilobytes('VmHWM'), anonBytes: kilobytes('RssAnon') };
}
