/** `bidwidth stream`: plays a file while it is downloaded. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TorrentSource } from '../../daemon/index.ts';
import type { TorrentNode, Turnover } from '../../daemon/node/index.ts';
import type { CommandPlace } from '../../daemon/places/index.ts';
import {
  chooseFile,
  readStreamedTorrent,
  type StreamedFile,
  type StreamedTorrent,
  StreamServer,
} from '../../daemon/stream/index.ts';
import { AppError, formatSize } from '../../units/index.ts';
import type { Context } from '../context.ts';
import { buyerTrade, DownloadRun, type RunOptions } from './download-run.ts';
import { nodeOptions, startMarketNode, trackerChoice } from './node-options.ts';
import { placeOf } from './place-options.ts';
import { TorrentWatch } from './torrent-watch.ts';

/** As commander collects them. */
export interface StreamOptions extends RunOptions {
  readonly file?: string;
  readonly httpPort?: number;
  readonly httpHost: string;
  readonly exitWhenDone?: true;
}

/** Where players of torrents have usually been told to look. */
const USUAL_HTTP_PORT = 8000;

/** A player that has all it can hold comes back for more: only after so long it is gone. */
const QUIET_MS = 3_000;
const QUIET_STEP_MS = 250;

/** Priorities of 0 to 7: the file that is played, and the others. */
const FIRST = 7;
const USUAL = 4;

/** Downloads what is played first, then the rest; being stopped is how it is meant to end. */
export async function stream(
  context: Context,
  text: string,
  options: StreamOptions,
): Promise<void> {
  const stop = context.catchStop();
  const source = await context.readTorrent(text);
  const trackers = await trackerChoice(source, options);
  const watch = new TorrentWatch(context.output);
  const place = await placeOf(source, options);
  const node = await startMarketNode(context, nodeOptions(options, buyerTrade(options)), watch);
  const run = new DownloadRun({ context, options, watch, node, place });
  let server: StreamServer | null = null;
  let turnover: Turnover;
  try {
    const key = await run.begin(source, { ...trackers, isSequential: true });
    const infoKnown =
      source.kind === 'metainfo' ? Promise.resolve() : watch.metadata.then(() => {});
    let isComplete = false;
    if (await run.follow(infoKnown)) {
      const torrent = await readTorrent({ source, watch, key, place });
      const file = chooseFile(torrent, options.file ?? null);
      server = await startServer(node, options);
      server.add(torrent);
      tell(context, { server, torrent, file });
      await node.transfer.prioritiseFiles(key, prioritiesFor(torrent, file));
      isComplete = await run.complete();
    }
    if (isComplete && server) {
      server.complete(key);
      run.tellComplete('serving until Ctrl-C');
      await run.follow(options.exitWhenDone ? quiet(server) : stop.wait());
    }
    const ok = isComplete || !options.exitWhenDone;
    if (!ok) context.exitCode = context.stopCode ?? 1;
    await run.finish(ok, isComplete);
  } finally {
    context.output.progress('');
    await server?.close();
    turnover = await node.stop();
  }
  run.summarize(turnover);
}

interface ReadRequest {
  readonly source: TorrentSource;
  readonly watch: TorrentWatch;
  readonly key: string;
  readonly place: CommandPlace;
}

async function readTorrent({ source, watch, ...at }: ReadRequest): Promise<StreamedTorrent> {
  if (source.kind === 'metainfo') return readStreamedTorrent(source, at);
  return readStreamedTorrent({ kind: 'info', bytes: await watch.metadata }, at);
}

/** On the port asked for, else on the usual one, else on any. */
async function startServer(node: TorrentNode, options: StreamOptions): Promise<StreamServer> {
  const { httpHost: host, httpPort: port } = options;
  const start = (tried: number): Promise<StreamServer> =>
    StreamServer.start({ pieces: node.transfer, host, port: tried });
  if (port !== undefined) return start(port);
  try {
    return await start(USUAL_HTTP_PORT);
  } catch (failure) {
    if (!(failure instanceof AppError && failure.code === 'PLATFORM_PORT_TAKEN')) throw failure;
    return start(0);
  }
}

function prioritiesFor({ fileCount }: StreamedTorrent, file: StreamedFile): readonly number[] {
  return Array.from({ length: fileCount }, (_, nth) => (nth === file.position ? FIRST : USUAL));
}

interface Playing {
  readonly server: StreamServer;
  readonly torrent: StreamedTorrent;
  readonly file: StreamedFile;
}

function tell({ output }: Context, { server, torrent, file }: Playing): void {
  const url = server.urlOf(torrent, file);
  const { path, lengthBytes } = file;
  output.event('streaming', {
    url,
    playlist: server.url,
    infoHash: torrent.key,
    file: { number: file.index + 1, path, lengthBytes },
  });
  output.line(`play ${path} (${formatSize(lengthBytes)}) from`);
  output.line(url);
  if (torrent.files.length > 1) output.line(`all files: ${server.url}`);
}

/** Resolves when no player has read anything for a while. */
async function quiet(server: StreamServer): Promise<void> {
  let busyAt = performance.now();
  while (performance.now() - busyAt < QUIET_MS) {
    await sleep(QUIET_STEP_MS);
    if (server.readers > 0) busyAt = performance.now();
  }
}
