/** Two thousand connected peers: whether the transfer thread's event loop ever stalls. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../../test/support/children.ts';
import { makeTempFolder } from '../../test/support/files.ts';
import { makeTorrent } from '../../test/support/make-torrent.ts';
import { measureUntilStopped } from '../measure.ts';
import type { Contender, PreparedScenario, Run, Scenario, ScenarioOptions } from './scenario.ts';

const PEER_COUNT = 2_000;
const NODE: string = fileURLToPath(new URL('../swarm/node-work.ts', import.meta.url));
const PEERS: string = fileURLToPath(new URL('../swarm/light-peers.ts', import.meta.url));
const LOOP_DELAY: string = fileURLToPath(new URL('../loop-delay.ts', import.meta.url));
const TIMEOUT_MS = 120_000;
/** Before it counts, and while it counts. */
const WARM_MS = 5_000;
const WINDOW_MS = 20_000;
/** Until the delays of both threads are printed. */
const PRINT_MS = 1_000;
const MIB = 2 ** 20;

/** What the node does with its two thousand. */
interface Part {
  readonly name: string;
  readonly peers: 'takers' | 'givers';
  readonly limits: readonly string[];
}

const PARTS: readonly Part[] = [
  { name: 'seeding', peers: 'takers', limits: ['--up', `${20 * MIB}`] },
  { name: 'downloading', peers: 'givers', limits: [] },
  { name: 'downloading, limited', peers: 'givers', limits: ['--down', `${10 * MIB}`] },
];

/** See the head of this file. */
export const manyPeers: Scenario = {
  name: 'peers',
  conditions:
    `one node, one torrent, ${PEER_COUNT} connected peers over loopback, all of them one light ` +
    'process (bench/swarm/light-peers.ts) that shares the cores. Seeding: all are interested, ' +
    'upload is limited to 20 MiB/s. Downloading: all unchoke us, each gives about 11 KiB/s; ' +
    'once more with a limit of 10 MiB/s. The delay is of the transfer thread’s event loop ' +
    '(perf_hooks), over 20 s that begin 5 s after the last peer has connected; the node is ' +
    'looked at each second, as a screen does.',
  defaults: { sizeBytes: 2 ** 31, pieceLengthBytes: 2 ** 20, runs: 3 },
  columns: [
    { title: 'delay p50 ms', figure: 'delayP50Ms', digits: 1 },
    { title: 'p99 ms', figure: 'delayP99Ms', digits: 1 },
    { title: 'most ms', figure: 'delayMaxMs', digits: 0 },
    { title: 'MiB/s', figure: 'movedMibPerSecond', digits: 1 },
    { title: 'CPU %', figure: 'cpuPercent', digits: 0 },
    { title: 'peak anonymous MB', figure: 'peakAnonBytes', unit: 1e6, digits: 0 },
  ],
  goals: PARTS.map(({ name }) => ({ contender: name, figure: 'delayP99Ms', atMost: 50 })),
  prepare,
};

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  const temp = await makeTempFolder('bench-peers');
  const source = join(temp.path, 'source');
  const contentPath = join(source, 'content.bin');
  const torrentPath = join(temp.path, 'content.torrent');
  await makeZeros(contentPath, options.sizeBytes);
  await makeTorrent({
    contentPath,
    torrentPath,
    pieceLengthBytes: options.pieceLengthBytes,
  });
  const contenders = PARTS.map(
    (part): Contender => ({
      name: part.name,
      unavailable: null,
      run: async (): Promise<Run> => {
        const target = join(temp.path, 'target');
        await rm(target, { recursive: true, force: true });
        const root = part.peers === 'takers' ? source : target;
        const control = join(temp.path, 'gather-delays');
        await rm(control, { force: true });
        return runPart(part, { torrentPath, root, control });
      },
    }),
  );
  return { contenders, [Symbol.asyncDispose]: () => temp.dispose() };
}

async function runPart(
  part: Part,
  paths: { readonly torrentPath: string; readonly root: string; readonly control: string },
): Promise<Run> {
  const { torrentPath, root, control } = paths;
  process.env['LOOP_DELAY_WHILE'] = control;
  await using node = await measureUntilStopped([
    ...[process.execPath, '--import', LOOP_DELAY],
    ...[NODE, torrentPath, root, ...part.limits],
  ]);
  const { port } = await node.child.waitForLine((line) => line.event === 'listening');
  await using peers = startChild(
    process.execPath,
    [PEERS, part.peers, torrentPath, '--peer', `127.0.0.1:${port}`, '--count', `${PEER_COUNT}`],
    { timeoutMs: TIMEOUT_MS },
  );
  await peers.waitForLine((line) => line.event === 'connected');
  await sleep(WARM_MS);
  await writeFile(control, '');
  const [movedBefore, cpuBefore] = [movedBytes(node.child), node.cpuSeconds()];
  await sleep(WINDOW_MS);
  const [moved, cpu] = [movedBytes(node.child) - movedBefore, node.cpuSeconds() - cpuBefore];
  await rm(control);
  const delays = await node.child.waitForLine(
    (line) => line.event === 'loop-delay' && line['thread'] === 'transfer',
  );
  await sleep(PRINT_MS);
  const last = node.child.lines().findLast((line) => line.event === 'moved');
  if (last?.['peers'] !== PEER_COUNT) throw new Error(`${last?.['peers']} peers are connected`);
  await peers.stop();
  const measurement = await node.stop();
  const seconds = WINDOW_MS / 1000;
  return {
    measurement,
    extra: {
      delayP50Ms: Number(delays['p50Ms']),
      delayP99Ms: Number(delays['p99Ms']),
      delayMaxMs: Number(delays['maxMs']),
      movedMibPerSecond: moved / MIB / seconds,
      cpuPercent: (cpu / seconds) * 100,
    },
  };
}

/** Both directions, as the node last said. */
function movedBytes(node: Child): number {
  const line = node.lines().findLast((one) => one.event === 'moved');
  return Number(line?.['receivedBytes'] ?? 0) + Number(line?.['sentBytes'] ?? 0);
}

/** A sparse file, so that preparing is quick: the hashes are those of zeros all the same. */
async function makeZeros(path: string, sizeBytes: number): Promise<void> {
  const { mkdir, truncate } = await import('node:fs/promises');
  const { dirname } = await import('node:path');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '');
  await truncate(path, sizeBytes);
}
