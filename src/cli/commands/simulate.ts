/** `bidwidth simulate`: puts a swarm of real engines through something, on a virtual network. */
import {
  type PeerOutcome,
  SCENARIOS,
  type SimulationReport,
  simulate,
} from '../../sim/scenarios/index.ts';
import { formatSize } from '../../units/index.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';

/** As commander collects them. */
export interface SimulateOptions {
  readonly seed: number;
  readonly peers?: number;
}

/** Lists the scenarios, or runs one; exit code 0 only when all was as it must be. */
export function runSimulation(
  context: Context,
  name: string | null,
  options: SimulateOptions,
): void {
  if (name === null) {
    list(context);
    return;
  }
  const report = simulate(name, options.seed, options.peers);
  if (!report) {
    throw new CliError('CLI_USAGE', `there is no scenario '${name}'; simulate alone lists them`);
  }
  const { peers, faults, durationMs, ...facts } = report;
  for (const peer of peers) context.output.event('peer', { ...peer });
  const ok = faults.length === 0;
  if (!ok) context.exitCode = 1;
  const summary = {
    ok,
    ...facts,
    peers: peers.length,
    seconds: Math.round(durationMs) / 1000,
    faults,
  };
  context.output.summary(summary, describe(report));
}

function list({ output }: Context): void {
  const scenarios = [...SCENARIOS.values()].map(({ name, about, peers }) => ({
    name,
    about,
    peers,
  }));
  output.summary({ scenarios }, [
    'bidwidth simulate <scenario> runs one, with so many peers; the same --seed, the same run:',
    ...scenarios.map(({ name, about, peers }) => `  ${name.padEnd(18)} ${about} (${peers})`),
  ]);
}

function describe(report: SimulationReport): readonly string[] {
  const { scenario, seed, peers, faults, durationMs, totalBytes, eventCount, digest } = report;
  const takers = peers.filter((peer) => peer.isHonest && !peer.isSeed);
  const received = takers.reduce((sum, peer) => sum + peer.receivedBytes, 0);
  const copies = received / totalBytes / takers.length;
  return [
    `${scenario}, seed ${seed}: ${peers.length} clients, a torrent of ${formatSize(totalBytes)}`,
    `${seconds(durationMs)} of virtual time, ${eventCount} network events, digest ${digest}`,
    completion(takers),
    `they received ${formatSize(received)}, ${copies.toFixed(2)} copies each`,
    ...(faults.length === 0
      ? ['everything was as it must be']
      : faults.map((one) => `WRONG: ${one}`)),
  ];
}

function completion(takers: readonly PeerOutcome[]): string {
  const times = takers.flatMap(({ completeMs }) => (completeMs === null ? [] : [completeMs]));
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    seconds(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
  const count = `${sorted.length} of ${takers.length} downloads complete`;
  if (sorted.length === 0) return count;
  return `${count}: the first after ${at(0)}, half after ${at(0.5)}, the last after ${at(1)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
