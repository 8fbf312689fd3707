/** What a node under observation holds at one moment: memory, handles, torrents, peers, bytes. */
import { readdirSync, readlinkSync } from 'node:fs';
import type { TorrentNode } from '../../src/daemon/node/index.ts';
import type { Session } from '../../src/daemon/session/index.ts';
import { channel, type Question, type ThreadFacts, threadFacts } from './probe.ts';

/** One moment of the node. Totals count from its start. */
export interface NodeFacts {
  readonly seconds: number;
  readonly rssBytes: number;
  readonly threads: readonly ThreadFacts[];
  /** Open file descriptors: kind → how many. */
  readonly descriptors: Readonly<Record<string, number>>;
  /** State of torrents → how many. */
  readonly torrents: Readonly<Record<string, number>>;
  readonly peers: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly dhtNodes: number;
  readonly cpuSeconds: number;
}

/** A thread that does not answer for so long is stuck. */
const ANSWER_MS_MAX = 20_000;

/** Measures this process. `collects` collects garbage first, so that only what is held counts. */
export async function measure(scene: {
  readonly session: Session;
  readonly node: TorrentNode;
  readonly collects: boolean;
  readonly snapshots?: string;
}): Promise<NodeFacts> {
  const { session, node, ...question } = scene;
  const other = await askOther(question);
  const threads = [threadFacts(question), other];
  const load = await node.transfer.load();
  const list = session.list();
  const { user, system } = process.cpuUsage();
  return {
    seconds: Math.round(process.uptime()),
    rssBytes: process.memoryUsage.rss(),
    threads,
    descriptors: countOf(descriptorKinds()),
    torrents: countOf(list.map(({ state }) => state)),
    peers: list.reduce((sum, { peerCount }) => sum + peerCount, 0),
    receivedBytes: load.download.movedBytes,
    sentBytes: load.upload.movedBytes,
    dhtNodes: node.dht?.nodeCount ?? 0,
    cpuSeconds: Math.round((user + system) / 1e5) / 10,
  };
}

/** Asks the transfer thread. */
function askOther(question: Question): Promise<ThreadFacts> {
  return new Promise((resolve, reject) => {
    const failure = new Error('the transfer thread does not answer');
    const timer = setTimeout(() => reject(failure), ANSWER_MS_MAX);
    channel.onmessage = (event) => {
      clearTimeout(timer);
      resolve((event as { data: ThreadFacts }).data);
    };
    channel.postMessage(question);
  });
}

/** `socket`, `pipe`, `eventpoll`, `file` and so on, one for each open descriptor. */
function descriptorKinds(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return /^(?:anon_inode:\[?)?(\w+)/.exec(target)?.[1] ?? 'file';
    } catch {
      // The descriptor of this very listing has gone.
      return [];
    }
  });
}

function countOf(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of kinds.toSorted()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
