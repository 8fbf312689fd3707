/** What every BitTorrent client looks like to the interop tests, ours included. */
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hostAndPort } from '../../../src/units/index.ts';
import type { Endpoint } from '../../support/ports.ts';

/** Where a download finds its first peer; a DHT node is the only one it is told of. */
export type PeerSource =
  | { readonly peer: Endpoint }
  | { readonly announceUrl: string }
  | { readonly dhtNode: Endpoint }
  /** Nowhere: the torrent names web seeds. */
  | { readonly nobody: true };

/** Content to offer. */
export interface SeedJob {
  readonly torrentPath: string;
  /** The folder that contains the torrent's file or folder. */
  readonly folder: string;
  /** The address to listen on, or to be reached at for clients that listen on all. */
  readonly host: string;
  /** A folder of the client's own, for its settings and session. */
  readonly homeFolder: string;
  /** Announce here (the torrent names it too); no tracker when absent. */
  readonly announceUrl?: string;
  /** Announce in the DHT of this node; no DHT when absent. */
  readonly dhtNode?: Endpoint;
  /** Bytes a second; unlimited when absent. */
  readonly uploadLimit?: number;
}

/** Content to get. */
export interface DownloadJob {
  /** A torrent file, or a magnet link for clients that can start from one. */
  readonly torrent: string;
  readonly folder: string;
  readonly host: string;
  readonly homeFolder: string;
  readonly source: PeerSource;
  /** Go on serving after completion, where the client can; else it leaves the swarm. */
  readonly staySeeding?: boolean;
}

/** A client that serves. */
export interface Seeding extends AsyncDisposable {
  readonly endpoint: Endpoint;
}

/** A seed that says how much it has sent. */
export interface CountedSeeding extends Seeding {
  /** Payload, as it was at most a second ago. */
  uploadedBytes(): number;
}

/** A client whose seeds count. */
export interface CountedClient extends TorrentClient {
  seed(job: SeedJob): Promise<CountedSeeding>;
}

/** A client that downloads. */
export interface Downloading extends AsyncDisposable {
  /** Where it listens. */
  readonly endpoint: Endpoint;
  /** Resolves when every file is complete on disk; rejects with the client's output. */
  readonly done: Promise<void>;
}

/** One kind of client. Everything it starts ends with the handle it returned. */
export interface TorrentClient {
  readonly name: string;
  /** Refuses peers on 127.0.0.0/8, so that both sides must use an outward address. */
  readonly needsOutwardAddress: boolean;
  /** Makes the torrent's files of length 0 too; comparisons leave them out where it does not. */
  readonly createsEmptyFiles: boolean;
  /** Why it cannot run here, as a sentence; null when it can. */
  unavailable(): string | null;
  /** Starts serving; resolves when it accepts connections. */
  seed(job: SeedJob): Promise<Seeding>;
  /** Starts downloading. */
  download(job: DownloadJob): Promise<Downloading>;
}

/** No single transfer may take longer. */
export const CLIENT_TIMEOUT_MS = 180_000;

/** Null when `command` runs, else the sentence for `unavailable`. */
export function missingCommand(command: string, debianPackage: string): string | null {
  const found = spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
  return found ? null : `${command} is not installed (apt install ${debianPackage})`;
}

/** `host:port` of the DHT node that a job names; null when it names none. */
export function dhtNodeOf(job: SeedJob | DownloadJob): string | null {
  const source = 'source' in job ? job.source : job;
  const node = 'dhtNode' in source ? source.dhtNode : undefined;
  return node === undefined ? null : hostAndPort(node);
}

/** Makes and returns a folder inside the client's home. */
export async function makeHome(homeFolder: string, ...parts: string[]): Promise<string> {
  const path = join(homeFolder, ...parts);
  await mkdir(path, { recursive: true });
  return path;
}
