/**
 * Where the CPU goes: one contender's run under V8's sampling profiler, its busiest thread by kind
 * of work, and every thread's CPU seconds. The profiler's samples are of wall time.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from './scenarios/scenario.ts';

/** What V8 writes with `--cpu-prof`, as far as it is read here. Times are microseconds. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** A function on top of the stack, and whose call it is. */
interface Place {
  readonly name: string;
  /** Of its file, or of its caller's for native functions. */
  readonly url: string;
}

/** What a thread does while it moves payload; the first rule that fits counts. */
const RULES: readonly (readonly [string, (place: Place) => boolean])[] = [
  // Node marks the loop idle before it polls, and so counts the kernel's copy into the read buffer.
  ['waiting, and reading sockets', ({ name }) => name === '(idle)'],
  ['garbage collection', ({ name }) => name === '(garbage collector)'],
  ['hash', ({ url }) => /node:internal\/crypto|node-hasher/.test(url)],
  ['disk', ({ url }) => /node:(internal\/)?fs|platform\/disk|null-sinks/.test(url)],
  ['copying blocks', (place) => isCopy(place)],
  ['parsing', ({ url }) => /src\/wire|header-framer/.test(url)],
  ['picker and requests', ({ url }) => PICKING.test(url)],
  ['upload scheduler', ({ url }) => /engine\/(upload|peer-upload|serve-queue|token)/.test(url)],
  ['market', ({ url }) => /src\/(exchange|payment|market)|daemon\/money/.test(url)],
  ['rest of the engine', ({ url }) => /src\/(engine|daemon|units)|null-client/.test(url)],
  ['sockets', ({ url }) => /node:(internal\/stream|net|events)|platform\/net/.test(url)],
];
const PICKING =
  /engine\/(piece-|partial-|availability|request-|selection|time-critical|taker|peer-download)/;
const REST = 'loading, timers and the rest';

/** Frames that are there only while payload moves: they mark the steady state. */
const PAYLOAD: ReadonlySet<string> = new Set(['#fillBlock', 'take', 'sendRun', 'sendBlock']);
const SAMPLE_INTERVAL_US = 250;
/** Of the bench itself: never what is looked at. */
const BENCH_ONLY = /bench\/(counting-clients|light-seeds)/;
const FUNCTIONS_SHOWN = 12;

/** One run of `contender` with the profiler on, as lines to print. */
export async function profileLines(contender: Contender): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bidwidth-profile-'));
  const before = { ...process.env };
  process.env['NODE_OPTIONS'] =
    `--cpu-prof --cpu-prof-dir=${folder} --cpu-prof-interval=${SAMPLE_INTERVAL_US}`;
  process.env['BENCH_THREADS'] = '1';
  try {
    const { measurement } = await contender.run();
    const places = await busiestThread(folder);
    const threads = Object.entries(measurement.threads ?? {}).map(
      ([name, { user, system }]) => `${name} ${user.toFixed(2)} + ${system.toFixed(2)}`,
    );
    const table = places
      ? steadyTable(places)
      : ['no profile was written: it is not a Node program'];
    return [`${contender.name}`, ...table, `CPU s, user + system: ${threads.join(', ')}`];
  } finally {
    process.env = before;
    await rm(folder, { recursive: true });
  }
}

/** Samples of the thread that was least idle: what ran, and for how many microseconds. */
type Samples = readonly (readonly [Place, number])[];

async function busiestThread(folder: string): Promise<Samples | null> {
  let busiest: Samples | null = null;
  let most = 0;
  for (const file of await readdir(folder)) {
    const profile: CpuProfile = JSON.parse(await readFile(join(folder, file), 'utf8'));
    if (profile.nodes.some(({ callFrame }) => BENCH_ONLY.test(callFrame.url))) continue;
    const samples = samplesOf(profile);
    const busy = samples.reduce((sum, [{ name }, us]) => sum + (name === '(idle)' ? 0 : us), 0);
    if (busy <= most) continue;
    most = busy;
    busiest = samples;
  }
  return busiest;
}

function samplesOf({ nodes, samples, timeDeltas }: CpuProfile): Samples {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const placeOf = (id: number): Place => {
    const node = byId.get(id);
    const name = node?.callFrame.functionName ?? '';
    return { name, url: node?.callFrame.url || parents.get(id)?.callFrame.url || '' };
  };
  const places = new Map(nodes.map(({ id }) => [id, placeOf(id)]));
  const unknown: Place = { name: '', url: '' };
  return samples.map((id, nth) => [places.get(id) ?? unknown, timeDeltas[nth] ?? 0]);
}

/** Per cent by group and the costliest functions, from the first to the last payload frame. */
function steadyTable(samples: Samples): readonly string[] {
  const isPayload = ([{ name }]: readonly [Place, number]): boolean => PAYLOAD.has(name);
  const first = samples.findIndex(isPayload);
  const last = samples.findLastIndex(isPayload);
  const steady = first < 0 ? samples : samples.slice(first, last + 1);
  const groups = new Map<string, number>();
  const functions = new Map<string, number>();
  let total = 0;
  for (const [place, us] of steady) {
    const group = RULES.find(([, matches]) => matches(place))?.[0] ?? REST;
    const title = `${place.name || '(anonymous)'} ${place.url.replace(/^.*\/(?=src|bench)/, '')}`;
    groups.set(group, (groups.get(group) ?? 0) + us);
    functions.set(title, (functions.get(title) ?? 0) + us);
    total += us;
  }
  const lines = (map: ReadonlyMap<string, number>): readonly string[] =>
    [...map]
      .toSorted((a, b) => b[1] - a[1])
      .map(([title, us]) => `${((100 * us) / total).toFixed(1).padStart(6)} %  ${title}`);
  return [
    `its busiest thread, ${(total / 1e6).toFixed(2)} s from the first payload to the last:`,
    ...lines(groups),
    'the costliest functions in it:',
    ...lines(functions).slice(0, FUNCTIONS_SHOWN),
  ];
}

/** Copies are made by the functions that cut the stream, or by what these call. */
function isCopy({ name, url }: Place): boolean {
  if (url === 'node:buffer') return true;
  if (url.includes('wire/peer/framer')) return name === '#fillBlock' || name === 'set';
  return url.includes('null-client') && (name === 'take' || name.startsWith('copy'));
}
