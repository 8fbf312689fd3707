/** What a swarm can go through. Each scenario builds a swarm, lets time pass, and looks at it. */
import type { Swarm } from '../swarm.ts';
import { dht } from './dht.ts';
import { freeRiders } from './free-riders.ts';
import * as hostile from './hostile.ts';
import * as lines from './lines.ts';
import * as money from './money.ts';
import type { ScenarioTerms } from './stage.ts';

/** A scenario; what it finds wrong is noted in the swarm. */
export interface Scenario {
  readonly name: string;
  /** What happens, for a list. */
  readonly about: string;
  /** How many peers it has when nobody says so. */
  readonly peers: number;
  readonly run: (terms: ScenarioTerms) => Swarm;
}

const TABLE: readonly (readonly [string, number, string, Scenario['run']])[] = [
  ['fairness', 8, 'equal peers on equal lines finish together', lines.fairness],
  ['free-riders', 14, 'three of ten take and serve nobody', freeRiders],
  ['breaks', 4, 'connections break at any byte', lines.breaks],
  ['loss', 3, 'uTP over lines that lose, double and delay datagrams', lines.loss],
  ['slow-line', 2, '3 kB/s, and three seconds to answer', lines.slowLine],
  ['partition', 6, 'the swarm is cut in two, then heals', lines.partition],
  ['stalls', 5, 'hosts fall silent for seconds and go on', lines.stalls],
  ['churn', 8, 'peers close, crash and come back', lines.churn],
  ['last-copy', 6, 'the only seed leaves when one copy of all pieces is out', lines.lastCopy],
  ['seeds-leave', 5, 'the seeds leave before anybody has a copy, and return', lines.seedsLeave],
  ['full-disk', 4, 'one disk is full in the middle, then has room again', lines.fullDisk],
  ['magnet', 4, 'peers that know only the info-hash, over lines that break', lines.magnet],
  ['corruption', 4, 'peers that spoil every piece (v1)', hostile.corruption],
  ['corruption-v2', 4, 'peers that spoil every piece (v2)', hostile.corruptionV2],
  ['corruption-hybrid', 4, 'peers that spoil every piece (hybrid)', hostile.corruptionHybrid],
  ['liars', 3, 'peers that announce what they do not have', hostile.liars],
  ['slow-readers', 3, 'peers that ask for much and read little', hostile.slowReaders],
  ['silence', 3, 'peers that say nothing, or nonsense', hostile.silence],
  ['pex-poison', 4, 'peers that tell of peers that are none', hostile.pexPoison],
  ['flood', 3, 'hundreds of connections that say nothing', hostile.flood],
  ['paid-upload', 3, 'so many pay for scarce upload, and so many do not', money.paidUpload],
  ['defaulters', 3, 'a seller stops delivering, a buyer stops paying', money.defaulters],
  ['everything', 8, 'churn, partitions, corruption and liars at once', lines.everything],
  ['crowd', 995, 'a thousand peers on a small torrent', lines.crowd],
  ['dht', 1_000, 'peers that find each other in a DHT of so many nodes', dht],
];

/** Every scenario by its name. */
export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  TABLE.map(([name, peers, about, run]) => [name, { name, peers, about, run }]),
);
