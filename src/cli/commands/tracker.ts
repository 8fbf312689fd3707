/** `bidwidth tracker`: runs a tracker, or asks others about a torrent. */
import { scrapeTrackers, startTrackerServer } from '../../daemon/tracker/index.ts';
import type { Context } from '../context.ts';
import { type WayOutOptions, wayOut } from './way-out.ts';

/** As commander collects them. */
export interface TrackerOptions {
  readonly host: string;
  readonly port: number;
  readonly udpPort?: number;
  readonly http: boolean;
  readonly udp: boolean;
}

/** Runs a tracker until it is stopped, which is how it is meant to end. */
export async function runTracker(context: Context, options: TrackerOptions): Promise<void> {
  const { output } = context;
  const stop = context.catchStop();
  const server = await startTrackerServer({
    host: options.host,
    httpPort: options.http ? options.port : null,
    udpPort: options.udp ? (options.udpPort ?? options.port) : null,
  });
  const { httpPort, udpPort, announceUrls } = server;
  output.event('listening', { httpPort, udpPort, announceUrls });
  for (const url of announceUrls) output.line(`announce to ${url}`);
  await stop.wait();
  const stats = server.stats();
  await server.close();
  output.summary({ ok: true, ...stats }, ['stopped']);
}

/** Asks a torrent's trackers how large its swarm is; fails when none of them says. */
export async function scrape(
  context: Context,
  text: string,
  options: WayOutOptions,
): Promise<void> {
  const way = wayOut(options);
  const trackers = await scrapeTrackers(await context.readTorrent(text), way);
  const ok = trackers.some((one) => one.problem === null);
  if (!ok) context.exitCode = 1;
  const lines = trackers.map(({ tracker, problem, seeders, leechers, completed }) => {
    if (problem !== null) return `${tracker} ${problem}`;
    return `${tracker}: ${seeders} seeders, ${leechers} leechers, ${completed} downloads`;
  });
  context.output.summary({ ok, trackers }, lines);
}
