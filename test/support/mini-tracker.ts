/**
 * A tracker of a few lines (BEP 3, BEP 23) to introduce clients to each other. It stands in where
 * a client takes peers from trackers only, and where ours is not what is being tested.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { bracketed } from '../../src/units/index.ts';
import { bencode } from './bencode.ts';
import type { Endpoint } from './ports.ts';

/** A running tracker. */
export interface MiniTracker extends AsyncDisposable {
  readonly announceUrl: string;
  close(): Promise<void>;
}

/** Seconds between announces; small, so that late peers are found within a test's time. */
const INTERVAL_SECONDS = 5;

/** Starts a tracker on `host` that hands out `fixedPeers` and everybody who announced. */
export async function startMiniTracker(
  host: string,
  fixedPeers: readonly Endpoint[] = [],
): Promise<MiniTracker> {
  const swarms = new Map<string, Map<string, Endpoint>>();
  const server = createServer((request, response) => {
    const announce = parseAnnounce(request);
    const swarm = swarms.get(announce.infoHash) ?? new Map<string, Endpoint>();
    swarms.set(announce.infoHash, swarm);
    const self = `${announce.host}:${announce.port}`;
    const others = [...swarm.entries()].filter(([key]) => key !== self).map(([, peer]) => peer);
    if (announce.port > 0) swarm.set(self, announce);
    if (announce.isStopping) swarm.delete(self);
    response.end(
      bencode({
        interval: INTERVAL_SECONDS,
        'min interval': INTERVAL_SECONDS,
        ...compactPeers([...fixedPeers, ...others]),
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  // A client that did not start must not leave the test waiting for this.
  server.unref();
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    announceUrl: `http://${bracketed(host)}:${port}/announce`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Announce extends Endpoint {
  /** Percent-encoded as it came; clients differ in letter case only. */
  readonly infoHash: string;
  readonly isStopping: boolean;
}

function parseAnnounce(request: IncomingMessage): Announce {
  const query = (request.url ?? '').split('?')[1] ?? '';
  const fields = new Map(
    query.split('&').map((pair) => {
      const [key = '', value = ''] = pair.split('=', 2);
      return [key, value];
    }),
  );
  return {
    infoHash: latin1Of(fields.get('info_hash') ?? ''),
    host: (request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
    port: Number(fields.get('port') ?? 0),
    isStopping: fields.get('event') === 'stopped',
  };
}

/** Undoes percent-encoding byte by byte; the bytes are no UTF-8. */
function latin1Of(encoded: string): string {
  return encoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** IPv4 (BEP 23) and IPv6 (BEP 7). */
function compactPeers(peers: readonly Endpoint[]): Record<'peers' | 'peers6', Buffer> {
  const of = (isIpv6: boolean): Buffer =>
    Buffer.concat(peers.filter(({ host }) => host.includes(':') === isIpv6).map(compact));
  return { peers: of(false), peers6: of(true) };
}

function compact({ host, port }: Endpoint): Uint8Array {
  return Uint8Array.from([...addressBytes(host), port >> 8, port & 0xff]);
}

function addressBytes(host: string): readonly number[] {
  if (!host.includes(':')) return host.split('.').map(Number);
  const groups = (part: string): readonly number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [head = '', tail = ''] = host.split('::');
  const [first, last] = [groups(head), groups(tail)];
  const between = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return [...first, ...between, ...last].flatMap((group) => [group >> 8, group & 0xff]);
}
