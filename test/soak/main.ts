/**
 * `npm run soak [-- --minutes 120 --seed N]`: one of our nodes in a swarm that never rests, watched
 * for what it holds. Prints a JSON line every half minute and a result; exit 0 when nothing leaked.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startTrackerServer } from '../../src/daemon/tracker/index.ts';
import type { Child, JsonLine } from '../support/children.ts';
import { makeTempFolder } from '../support/files.ts';
import { seededRandom } from '../support/random.ts';
import { judge, type Sample } from './figures.ts';
import { makePlan } from './plan.ts';
import { sendStrangers } from './strangers.ts';
import { runSwarm, startSoakNode } from './swarm.ts';
import { startWebServer } from './web-server.ts';

const RELAY_MS = 1_000;
/** The observed node has so long to end by itself, once it has stopped. */
const END_MS = 10_000;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '120' }, seed: { type: 'string' } },
});
const random = seededRandom(values.seed === undefined ? undefined : Number(values.seed));
const hours = Number(values.minutes) / 60 + 1;
say({ event: 'soak', seed: random.seed, minutes: Number(values.minutes), pid: process.pid });
process.exitCode = (await soak()) ? 0 : 1;

async function soak(): Promise<boolean> {
  await using temp = await makeTempFolder('soak');
  const folder = temp.path;
  const tracker = await startTrackerServer({ host: '127.0.0.1', httpPort: 0, udpPort: 0 });
  const web = await startWebServer(join(folder, 'content'), random);
  const plan = await makePlan(folder, tracker.announceUrls, web.url);
  const seed = (): number => Math.floor(random.next() * 2 ** 32);
  const keeper = startSoakNode(['keeper', folder, join(folder, 'keeper')], { seed: seed(), hours });
  const { dhtPort } = await keeper.waitForLine(isListening);
  const observed = startSoakNode(
    [
      ...['observed', folder, join(folder, 'observed')],
      ...['--minutes', `${values.minutes}`, '--dht-node', `${dhtPort}`],
    ],
    { seed: seed(), hours, probes: true },
  );
  const place = await observed.waitForLine(isListening);
  const over = new AbortController();
  const strangers = {
    ...{
      port: Number(place.port),
      dhtPort: Number(place['dhtPort']),
      random: seededRandom(seed()),
    },
    announceUrl: tracker.announceUrls[0] ?? '',
    infoHashes: plan.torrents.flatMap(({ infoHashV1 }) =>
      infoHashV1 === null ? [] : new Uint8Array(Buffer.from(infoHashV1, 'hex')),
    ),
  };
  const swarm = runSwarm({ folder, plan, dhtPort: Number(dhtPort), random }, over.signal);
  const knocking = sendStrangers(strangers, over.signal);
  await relay(observed, () => over.abort());
  over.abort();
  const { code, timedOut } = await observed.ended;
  await knocking;
  const { fell, ...counts } = await swarm;
  await keeper.stop('SIGTERM', END_MS);
  await tracker.close();
  web.server.closeAllConnections();
  web.server.close();
  const result = judge(observed.lines().filter(isSample) as unknown as Sample[]);
  const faults = [
    ...result.faults,
    ...(code === 0 ? [] : [`the node ended with ${code}: ${observed.output().slice(-2000)}`]),
    ...(timedOut ? ['it had to be ended'] : []),
    ...fell.map((one) => `a member fell: ${one}`),
  ];
  const ok = faults.length === 0;
  const swarmCounts = { ...counts, webRequests: web.requests };
  say({ event: 'result', seed: random.seed, swarm: swarmCounts, ...result, ok, faults });
  return ok;
}

/** Prints what the observed node says, until it has ended; one that has stopped must do so soon. */
async function relay(observed: Child, onCleared: () => void): Promise<void> {
  let isOver = false;
  let printed = 0;
  let stoppedAt = Number.POSITIVE_INFINITY;
  const print = (): void => {
    for (const line of observed.lines().slice(printed)) {
      printed += 1;
      say(line);
      // Peers leave once the node has given up its torrents: what it still holds is its own.
      if (line.event === 'cleared') onCleared();
      if (line.event === 'stopped') stoppedAt = performance.now();
    }
  };
  void observed.ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    print();
    if (performance.now() - stoppedAt > END_MS) await observed.stop('SIGKILL');
    await sleep(RELAY_MS);
  }
  print();
}

function isListening({ event }: JsonLine): boolean {
  return event === 'listening';
}

function isSample({ event }: JsonLine): boolean {
  return event === 'start' || event === 'sample' || event === 'end';
}

function say(line: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify({ at: new Date().toISOString().slice(11, 19), ...line }));
}
