/**
 * A tracker of a few lines (BEP 3, BEP 23) to introduce clients to each other. It stands in where
 * a client takes peers from trackers only, and where ours is not what is being tested.
 */
import { createServer, type IncomingMessage } from 'node:http';
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
        peers: Buffer.concat([...fixedPeers, ...others].map(compact)),
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    announceUrl: `http://${host}:${port}/announce`,
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

function compact({ host, port }: Endpoint): Uint8Array {
  return Uint8Array.from([...host.split('.').map(Number), port >> 8, port & 0xff]);
}
