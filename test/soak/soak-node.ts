/**
 * One of our nodes in the swarm of a soak, as a process of its own.
 *
 *   soak-node.ts keeper|member|observed FOLDER HOME [--minutes M] [--dht-node PORT]
 *
 * The keeper has everything and stays. Members come and go, each set up differently. The observed
 * one also measures itself: a JSON line every half minute; SIGUSR2 has it write what is on its
 * heaps into the temp folder. `BIDWIDTH_SEED` decides everything.
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DataFolder } from '../../src/daemon/index.ts';
import { type NodeOptions, startNode, type TorrentNode } from '../../src/daemon/node/index.ts';
import { Session } from '../../src/daemon/session/index.ts';
import { type SeededRandom, seededRandom } from '../support/random.ts';
import { measure } from './measure.ts';
import { type Plan, readPlan } from './plan.ts';
import { Wanderer } from './wanderer.ts';

const KIB = 1024;
const RATES = {
  keeper: { uploadLimit: 500 * KIB, downloadLimit: 100 * KIB },
  member: { uploadLimit: 150 * KIB, downloadLimit: 200 * KIB },
  observed: { uploadLimit: 700 * KIB, downloadLimit: 700 * KIB },
} as const;
/** How many of the torrents a node has are complete from the start. */
const SEED_SHARE = { keeper: 1, member: 0.4, observed: 0.35 } as const;
/** Between two changes of a node's torrents, in milliseconds. */
const PAUSES = { member: [6_000, 20_000], observed: [2_000, 10_000] } as const;
const SAMPLE_MS = 30_000;
/**
 * Every ten minutes garbage is collected first. V8 itself waits until a heap is much larger than
 * these: for hours, in which garbage piles up and looks like a leak.
 */
const SAMPLES_PER_COLLECTION = 20;
/** After the start, and after everything was removed. */
const SETTLE_MS = { start: 5_000, end: 90_000 } as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '600' }, 'dht-node': { type: 'string' } },
});
const [role, folder, home] = positionals;
if (role !== 'keeper' && role !== 'member' && role !== 'observed') throw new Error('which role?');
if (!folder || !home) throw new Error('soak-node.ts needs two folders');
const random = seededRandom();
const endsAt = performance.now() + Number(values.minutes) * 60_000;
const troubles: string[] = [];
await run(await readPlan(folder));

async function run(plan: Plan): Promise<void> {
  const { node, session } = await open();
  const stop = async (): Promise<void> => {
    await session.close();
    await node.stop();
    await rm(home as string, { recursive: true, force: true });
  };
  process.once('SIGTERM', () => void stop().then(() => process.exit(0)));
  const { pid } = process;
  say({ event: 'listening', pid, port: node.transfer.port, dhtPort: node.dht?.port });
  const downloads = join(home as string, 'downloads');
  const seedShare = SEED_SHARE[role as keyof typeof SEED_SHARE];
  const wanderer = new Wanderer({ session, plan, folder: downloads, random, seedShare });
  if (role === 'keeper') await wanderer.addAll();
  else if (role === 'member') await wander(wanderer, PAUSES.member);
  else await observe({ node, session, wanderer });
  if (role === 'keeper') return;
  await stop();
  if (role === 'observed') say({ event: 'stopped', left: process.getActiveResourcesInfo() });
}

async function open(): Promise<{ node: TorrentNode; session: Session }> {
  let node: TorrentNode | null = null;
  const data = new DataFolder(home as string);
  const session = await Session.open({
    data,
    limits: { downloadsMax: 6, seedsMax: 10 },
    start: async (listener) => {
      node = await startNode(nodeOptions(data), listener);
      return node.transfer;
    },
    onTrouble: (failure) => troubles.push(failure.stack ?? failure.message),
  });
  if (!node) throw new Error('the session did not start its node');
  return { node, session };
}

/** The observed node is as users have it; members are of every kind. */
function nodeOptions(data: DataFolder): NodeOptions {
  const nodes = values['dht-node'] ? [{ host: '127.0.0.1', port: Number(values['dht-node']) }] : [];
  const usual: NodeOptions = {
    ...{ data, port: 0, bindHost: '127.0.0.1', market: null },
    ...RATES[role as keyof typeof RATES],
    dht: { nodes, useRouters: false },
  };
  return role === 'member' ? { ...usual, ...memberChoice(random) } : usual;
}

function memberChoice({ pick, next }: SeededRandom): Partial<NodeOptions> {
  const transport = pick<Partial<NodeOptions>>([
    [{}, 2],
    [{ useTcp: false }, 2],
    [{ useUtp: false }, 1],
  ]);
  const encryption = pick<NonNullable<NodeOptions['encryption']>>([
    ['allow', 3],
    ['require', 2],
    ['prefer', 1],
    ['off', 1],
  ]);
  return { ...transport, encryption, usePex: next() < 0.8 };
}

async function wander(wanderer: Wanderer, [low, high]: readonly [number, number]): Promise<void> {
  for (let nth = 0; nth < 6; nth++) await wanderer.step();
  while (performance.now() < endsAt) {
    await sleep(random.between(low, high));
    await wanderer.step();
  }
}

async function observe(scene: {
  readonly node: TorrentNode;
  readonly session: Session;
  readonly wanderer: Wanderer;
}): Promise<void> {
  const { session, node, wanderer } = scene;
  let nth = 0;
  const sample = async (event: 'start' | 'sample' | 'end'): Promise<void> => {
    const collects = event !== 'sample' || ++nth % SAMPLES_PER_COLLECTION === 0;
    const facts = await measure({ session, node, collects });
    say({ event, collects, steps: wanderer.steps, troubles, ...facts });
  };
  process.on('SIGUSR2', () => {
    void measure({ session, node, collects: true, snapshots: tmpdir() });
  });
  await sleep(SETTLE_MS.start);
  await sample('start');
  const timer = setInterval(() => void sample('sample'), SAMPLE_MS);
  await wander(wanderer, PAUSES.observed);
  clearInterval(timer);
  await wanderer.clear();
  say({ event: 'cleared' });
  await sleep(SETTLE_MS.end);
  await sample('end');
}

function say(line: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(line));
}
