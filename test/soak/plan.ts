/** What the swarm of a soak shares: torrents of all three forms, made once and listed in a file. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTorrent } from '../../src/daemon/torrents/index.ts';
import { writeRandomFile } from '../support/files.ts';

/** One torrent of the swarm. */
export interface PlannedTorrent {
  readonly name: string;
  readonly torrentPath: string;
  readonly magnet: string;
  /** Hex; null for a torrent of form v2. */
  readonly infoHashV1: string | null;
}

/** Everything each process of the swarm is told. */
export interface Plan {
  /** Holds the content of every torrent. */
  readonly content: string;
  readonly torrents: readonly PlannedTorrent[];
}

const TORRENTS = 14;
/** The nth torrent is so much longer than the one before. */
const STEP_BYTES = 700_000;
const PIECE_BYTES = 1 << 17;
const FORMS = ['v1', 'hybrid', 'v1', 'v2'] as const;

/** Makes the torrents below `folder`; every third is a folder of three files, one is private. */
export async function makePlan(
  folder: string,
  trackers: readonly string[],
  webSeed: string,
): Promise<Plan> {
  const content = join(folder, 'content');
  await mkdir(content, { recursive: true });
  const torrents: PlannedTorrent[] = [];
  for (let nth = 0; nth < TORRENTS; nth++) {
    const name = `content-${nth}`;
    const lengthBytes = (nth + 1) * STEP_BYTES + nth;
    const files = nth % 3 === 2 ? ['a', 'b/c', 'b/d'].map((file) => join(name, file)) : [name];
    for (const file of files) {
      await writeRandomFile(join(content, file), Math.floor(lengthBytes / files.length));
    }
    const out = join(folder, `${name}.torrent`);
    const made = await makeTorrent({
      ...{ path: join(content, name), out, isForced: false, name: null },
      ...{ version: FORMS[nth % FORMS.length] ?? 'v1', pieceLengthBytes: PIECE_BYTES },
      extras: {
        trackers: [trackers.slice(nth % 2), trackers.slice(0, nth % 2)].filter(isSomething),
        ...(nth % 5 === 0 ? { webSeeds: [webSeed] } : {}),
        isPrivate: nth === 7,
      },
    });
    const { magnet, infoHashV1 } = made;
    torrents.push({ name, torrentPath: out, magnet, infoHashV1 });
  }
  const plan = { content, torrents };
  await writeFile(join(folder, 'plan.json'), JSON.stringify(plan));
  return plan;
}

/** Reads what `makePlan` wrote. */
export async function readPlan(folder: string): Promise<Plan> {
  return JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8')) as Plan;
}

function isSomething(tier: readonly string[]): boolean {
  return tier.length > 0;
}
