/** The downloaders the benchmarks compare: same torrent, same peers, each a whole fresh process. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bidwidthCommand } from '../test/interop/clients/bidwidth.ts';
import { libtorrentCommand, libtorrentUnavailable } from '../test/interop/clients/libtorrent.ts';
import { installWebtorrent, webtorrentCommand } from '../test/interop/clients/webtorrent.ts';
import { makeTempFolder, sha256OfFile, writeRandomFile } from '../test/support/files.ts';
import { makeTorrent } from '../test/support/make-torrent.ts';
import { measure } from './measure.ts';
import type { Contender, Run, ScenarioOptions } from './scenarios/scenario.ts';

/** A random file, its torrent, and a folder for copies; all in memory. */
export interface Content extends AsyncDisposable {
  readonly contentPath: string;
  /** The folder the file lies in, for seeds. */
  readonly sourceFolder: string;
  readonly torrentPath: string;
  /** Emptied before each download. */
  readonly targetFolder: string;
  readonly sha256: string;
}

/** What a downloader is told. */
export interface Swarm {
  readonly content: Content;
  /** HOST:PORT each. */
  readonly peers: readonly string[];
}

const NULL_CLIENT: string = fileURLToPath(new URL('null-client.ts', import.meta.url));
const FILE_NAME = 'content.bin';

/** Makes a random file and its torrent. */
export async function makeContent(label: string, options: ScenarioOptions): Promise<Content> {
  const temp = await makeTempFolder(label);
  const sourceFolder = join(temp.path, 'source');
  const contentPath = join(sourceFolder, FILE_NAME);
  const torrentPath = join(temp.path, 'content.torrent');
  await writeRandomFile(contentPath, options.sizeBytes);
  const { pieceLengthBytes } = options;
  await makeTorrent({ contentPath, torrentPath, pieceLengthBytes });
  return {
    contentPath,
    sourceFolder,
    torrentPath,
    targetFolder: join(temp.path, 'target'),
    sha256: sha256OfFile(contentPath),
    [Symbol.asyncDispose]: temp.dispose,
  };
}

/** A contender under a name of its own, with further options. */
interface Variant {
  readonly name: string;
  readonly options: readonly string[];
}

/** libtorrent as the downloader. */
export function libtorrentDownloader(
  { content, peers }: Swarm,
  variant: Variant = { name: 'libtorrent', options: [] },
): Contender {
  const { torrentPath, targetFolder } = content;
  const known = peers.flatMap((peer) => ['--peer', peer]);
  return downloader(variant.name, content, {
    unavailable: libtorrentUnavailable(),
    command: libtorrentCommand([
      ...['download', torrentPath, targetFolder, ...known, ...variant.options],
    ]),
  });
}

/** Our command line as the downloader. */
export function bidwidthDownloader(
  { content, peers }: Swarm,
  variant: Variant = { name: 'bidwidth', options: [] },
): Contender {
  const known = peers.flatMap((peer) => ['--peer', peer]);
  return downloader(variant.name, content, {
    unavailable: null,
    command: bidwidthCommand([
      ...['download', content.torrentPath, '--to', content.targetFolder, ...known],
      ...[
        '--port',
        '0',
        '--no-dht',
        '--no-lsd',
        '--no-nat',
        '--no-trackers',
        '--json',
        ...variant.options,
      ],
    ]),
  });
}

/** WebTorrent as the downloader, installed when a benchmark first wants it. */
export function webtorrentDownloader({ content, peers }: Swarm): Contender {
  const known = peers.flatMap((peer) => ['--peer', peer]);
  return downloader('WebTorrent', content, {
    unavailable: installWebtorrent(),
    command: webtorrentCommand(['download', content.torrentPath, content.targetFolder, ...known]),
  });
}

/** The null client, which takes one peer only. */
export function nullDownloader({ content, peers: [peer = ''] }: Swarm): Contender {
  const { torrentPath, targetFolder } = content;
  return downloader('null client', content, {
    unavailable: null,
    command: [process.execPath, NULL_CLIENT, torrentPath, targetFolder, '--peer', peer],
  });
}

/** Empties the folder for copies. */
export async function clearTarget({ targetFolder }: Content): Promise<void> {
  await rm(targetFolder, { recursive: true, force: true });
  await mkdir(targetFolder);
}

/** Throws unless the copy is the original, byte for byte. */
export function checkCopy({ targetFolder, sha256 }: Content, who: string): void {
  if (sha256OfFile(join(targetFolder, FILE_NAME)) === sha256) return;
  throw new Error(`${who} ended well, but its copy differs from the original`);
}

function downloader(
  name: string,
  content: Content,
  facts: { readonly unavailable: string | null; readonly command: readonly string[] },
): Contender {
  return {
    name,
    unavailable: facts.unavailable,
    run: async (): Promise<Run> => {
      await clearTarget(content);
      const measurement = await measure(facts.command);
      checkCopy(content, name);
      // What the program itself timed: libtorrent and WebTorrent from adding the torrent to its
      // file written, ours by the summary line. The rest of the wall time is start-up and exit.
      const timed = measurement.lines.findLast((line) => typeof line.seconds === 'number');
      const extra = timed === undefined ? {} : { ownSeconds: Number(timed.seconds) };
      return { measurement, extra };
    },
  };
}
