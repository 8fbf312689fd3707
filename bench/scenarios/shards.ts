/** What a second transfer thread brings: two torrents downloaded by one node of ours. */
import { spawnSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../test/support/children.ts';
import { makeTempFolder, sha256OfFile } from '../../test/support/files.ts';
import { type Content, makeContent } from '../downloaders.ts';
import { cpuSecondsOf, measure } from '../measure.ts';
import { readJob } from '../torrent-job.ts';
import type { Contender, PreparedScenario, Run, Scenario, ScenarioOptions } from './scenario.ts';

const TORRENT_COUNT = 2;
const NODE: string = fileURLToPath(new URL('../shards-node.ts', import.meta.url));
const SEED: string = fileURLToPath(new URL('../sendfile_seed.py', import.meta.url));
/** They outlive every run of a long series. */
const SEED_TIMEOUT_MS = 3_600_000;

const ALL_CORES = `0-${cpus().length - 1}`;
const TWO_THREADS = { contender: 'two threads', figure: 'ownMibPerSecond' };

/** See the head of this file. */
export const shards: Scenario = {
  name: 'shards',
  conditions:
    `${TORRENT_COUNT} random files (together the size given), a torrent and a seed each, ` +
    'downloaded by one node of ours with one transfer thread and with two, over loopback, in ' +
    'memory, TCP, plaintext. The seeds share the cores and cost little: the kernel sends their ' +
    'file without a copy (bench/sendfile_seed.py; their CPU seconds are in the table). A ' +
    'transfer thread hands its writing to other threads, so it keeps more than one core busy: ' +
    'where there are only two, one thread kept with its seeds on one core is what two threads ' +
    'on two compare with, and two processes that share nothing show what the machine allows. ' +
    'Own seconds: from the first torrent added to the last one complete. SHA-256 of the copies ' +
    'is compared after each run, outside of it.',
  defaults: { sizeBytes: 2 * 2 ** 30 },
  columns: [
    { title: 'own s', figure: 'ownSeconds' },
    { title: 'MiB/s', figure: 'ownMibPerSecond', digits: 0 },
    { title: 'CPU s', figure: 'cpuSeconds' },
    { title: 'seeds CPU s', figure: 'seedCpuSeconds' },
    { title: 'cores busy', figure: 'coresBusy' },
    { title: 'peak RSS MB', figure: 'peakRssBytes', unit: 1e6, digits: 0 },
    { title: 'MiB/s ratio', figure: 'ownMibPerSecond', isRatio: true },
  ],
  goals: [
    { ...TWO_THREADS, atLeast: 1.7, against: 'one thread' },
    { ...TWO_THREADS, atLeast: 1.7, against: 'one thread, one core' },
    { ...TWO_THREADS, atLeast: 0.95, against: 'two processes' },
  ],
  prepare,
};

/** A torrent and the process that seeds it. */
interface Seeded {
  readonly content: Content;
  readonly port: number;
  readonly pid: number;
}

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  await using stack = new AsyncDisposableStack();
  const seeded: Seeded[] = [];
  const sizeBytes = options.sizeBytes / TORRENT_COUNT;
  for (let nth = 0; nth < TORRENT_COUNT; nth++) {
    seeded.push(await startSeed(stack, { ...options, sizeBytes }));
  }
  const { path: target } = stack.use(await makeTempFolder('bench-shards'));
  const contender = (name: string, how: readonly string[], cores = ALL_CORES): Contender => ({
    name,
    unavailable: cores === ALL_CORES ? null : tasksetUnavailable(),
    run: async (): Promise<Run> => {
      await rm(target, { recursive: true, force: true });
      await mkdir(target);
      const seedCpuBefore = seedCpuSeconds(seeded);
      const jobs = seeded.map(({ content, port }) => `${content.torrentPath}=127.0.0.1:${port}`);
      const before = cores === ALL_CORES ? [] : ['taskset', '-c', cores];
      const command = [...before, process.execPath, NODE, '--target', target, ...how, ...jobs];
      if (cores !== ALL_CORES) keepOn(cores, seeded);
      const measurement = await measure(command);
      if (cores !== ALL_CORES) keepOn(ALL_CORES, seeded);
      await checkCopies(target, seeded, name);
      const seedSeconds = seedCpuSeconds(seeded) - seedCpuBefore;
      const ownSeconds = Number(measurement.lines.find(({ event }) => event === 'done')?.seconds);
      const cpuSeconds = measurement.userSeconds + measurement.systemSeconds;
      return {
        measurement,
        extra: {
          ownSeconds,
          ownMibPerSecond: options.sizeBytes / 2 ** 20 / ownSeconds,
          seedCpuSeconds: seedSeconds,
          coresBusy: (cpuSeconds + seedSeconds) / measurement.wallSeconds,
        },
      };
    },
  });
  const contenders = [
    contender('one thread', ['--shards', '1']),
    contender('two threads', ['--shards', '2']),
    contender('two processes', ['--processes']),
    contender('one thread, one core', ['--shards', '1'], '0'),
  ];
  const owned = stack.move();
  return { contenders, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startSeed(stack: AsyncDisposableStack, options: ScenarioOptions): Promise<Seeded> {
  const content = stack.use(await makeContent('bench-shards', options));
  const infoHash = Buffer.from(readJob(content.torrentPath).infoHash).toString('hex');
  const image = join(content.sourceFolder, 'image');
  const args = [SEED, infoHash, content.contentPath, image, `${options.pieceLengthBytes}`];
  const seed = stack.use(startChild('/usr/bin/python3', args, { timeoutMs: SEED_TIMEOUT_MS }));
  const { port } = await seed.waitForLine((line) => line.event === 'listening');
  return { content, port: Number(port), pid: seed.pid };
}

function seedCpuSeconds(seeded: readonly Seeded[]): number {
  return seeded.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0);
}

/** Moves the seeds to these cores. */
function keepOn(cores: string, seeded: readonly Seeded[]): void {
  for (const { pid } of seeded) spawnSync('taskset', ['-a', '-p', '-c', cores, `${pid}`]);
}

function tasksetUnavailable(): string | null {
  return spawnSync('taskset', ['--version']).status === 0 ? null : 'no taskset (util-linux)';
}

/** Copies lie in a folder named by the port of their seed, of each process or of the node. */
async function checkCopies(target: string, seeded: readonly Seeded[], name: string): Promise<void> {
  for (const [nth, { content, port }] of seeded.entries()) {
    const root = name === 'two processes' ? join(target, `process-${nth}`) : target;
    if (sha256OfFile(join(root, `${port}`, 'content.bin')) === content.sha256) continue;
    throw new Error(`${name} ended well, but a copy differs from the original`);
  }
}
