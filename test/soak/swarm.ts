/**
 * The swarm around an observed node: places that are taken by one process after the other, which
 * comes, stalls, and goes or breaks off. When, and what it is, the seed alone decides.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  LIBTORRENT_ENCRYPTION,
  libtorrentCommand,
  libtorrentUnavailable,
} from '../interop/clients/libtorrent.ts';
import { type Child, startChild } from '../support/children.ts';
import { type SeededRandom, seededRandom } from '../support/random.ts';
import type { Plan } from './plan.ts';

const NODE_SCRIPT: string = fileURLToPath(new URL('soak-node.ts', import.meta.url));
const PLACES = 5;
const GAP_MS = [3_000, 30_000] as const;
const LIFE_MS = [90_000, 540_000] as const;
const STALL_MS = [5_000, 150_000] as const;
const LIBTORRENT_RATES = ['--upload-limit', '150000', '--download-limit', '200000'];
const LIBTORRENT_SHARE = 0.3;

/** Who lives in the swarm. */
export interface SwarmOptions {
  readonly folder: string;
  readonly plan: Plan;
  readonly dhtPort: number;
  readonly random: SeededRandom;
}

/** What the swarm did. */
export interface SwarmCounts {
  came: number;
  foreign: number;
  stalled: number;
  killed: number;
  /** Processes that ended by themselves, with their last words: there should be none. */
  readonly fell: string[];
}

/** Starts one of our nodes. It lives for `hours` at most. */
export function startSoakNode(
  args: readonly string[],
  options: { readonly seed: number; readonly hours: number; readonly probes?: boolean },
): Child {
  const probe = fileURLToPath(new URL('probe.ts', import.meta.url));
  const flags = options.probes ? ['--expose-gc', '--import', probe] : [];
  return startChild(process.execPath, [...flags, NODE_SCRIPT, ...args], {
    env: { BIDWIDTH_SEED: `${options.seed}` },
    timeoutMs: options.hours * 3_600_000,
  });
}

/** Keeps the places taken until the signal; then ends everybody. */
export async function runSwarm(options: SwarmOptions, signal: AbortSignal): Promise<SwarmCounts> {
  const counts: SwarmCounts = { came: 0, foreign: 0, stalled: 0, killed: 0, fell: [] };
  const places = Array.from({ length: PLACES }, async (_, nth) => {
    // A stream of its own for each: what happens at one place does not change the others.
    const random = seededRandom(options.random.next() * 2 ** 32);
    await fillPlace(
      { ...options, random, folder: join(options.folder, `place-${nth}`) },
      {
        counts,
        signal,
        shared: options.folder,
      },
    );
  });
  await Promise.all(places);
  return counts;
}

interface PlaceContext {
  readonly counts: SwarmCounts;
  readonly signal: AbortSignal;
  /** Where the plan is. */
  readonly shared: string;
}

async function fillPlace(options: SwarmOptions, context: PlaceContext): Promise<void> {
  const { random, folder } = options;
  const { counts, signal } = context;
  const hasLibtorrent = libtorrentUnavailable() === null;
  const pause = (ms: number): Promise<unknown> =>
    sleep(ms, undefined, { signal }).catch(() => undefined);
  await pause(random.between(...GAP_MS));
  while (!signal.aborted) {
    const home = join(folder, `${counts.came}`);
    await mkdir(home, { recursive: true });
    const isForeign = random.next() < LIBTORRENT_SHARE && hasLibtorrent;
    const member = isForeign
      ? startForeign(options, home)
      : startSoakNode(['member', context.shared, home, '--dht-node', `${options.dhtPort}`], {
          seed: Math.floor(random.next() * 2 ** 32),
          hours: 1,
        });
    counts.came += 1;
    if (isForeign) counts.foreign += 1;
    let isMeant = false;
    void member.ended.then(({ code, signal: how }) => {
      if (!isMeant) counts.fell.push(`${how ?? code}: ${member.output().slice(-1000)}`);
    });
    await pause(random.between(...LIFE_MS));
    if (random.next() < 0.5)
      await stall(member, { counts, ms: random.between(...STALL_MS), pause });
    isMeant = true;
    const isKilled = random.next() < 0.4;
    if (isKilled) counts.killed += 1;
    await member.stop(isKilled ? 'SIGKILL' : 'SIGTERM', 15_000);
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
    await pause(random.between(...GAP_MS));
  }
}

/** Stops a process in its tracks for a while: its connections stay open and say nothing. */
async function stall(
  member: Child,
  how: {
    readonly counts: SwarmCounts;
    readonly ms: number;
    readonly pause: (ms: number) => Promise<unknown>;
  },
): Promise<void> {
  how.counts.stalled += 1;
  send(member, 'SIGSTOP');
  await how.pause(how.ms);
  send(member, 'SIGCONT');
  await how.pause(how.ms / 4);
}

function send(member: Child, signal: NodeJS.Signals): void {
  try {
    process.kill(-member.pid, signal);
  } catch {
    // It has ended by itself, which is noted elsewhere.
  }
}

/** libtorrent with one torrent, by TCP or uTP, encrypted or not. */
function startForeign({ plan, random }: SwarmOptions, home: string): Child {
  const { torrentPath } = random.pick(plan.torrents.map((one) => [one, 1] as const));
  const utp = random.next() < 0.5 ? 1 : 0;
  const { forced, plaintext } = LIBTORRENT_ENCRYPTION;
  const encryption = random.next() < 0.5 ? forced : plaintext;
  const settings = [
    ...[
      `enable_incoming_utp=${utp}`,
      `enable_outgoing_utp=${utp}`,
      `enable_outgoing_tcp=${1 - utp}`,
    ],
    ...[`in_enc_policy=${encryption}`, `out_enc_policy=${encryption}`],
  ];
  const role =
    random.next() < 0.3 ? ['seed', torrentPath, plan.content] : ['download', torrentPath, home];
  const [command, ...args] = libtorrentCommand([
    ...[...role, '--stay', ...LIBTORRENT_RATES],
    ...settings.map((setting) => `--set=${setting}`),
  ]);
  return startChild(command, args, { timeoutMs: 3_600_000 });
}
