/** libtorrent as one DHT node on loopback. */
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../../support/children.ts';
import type { Endpoint } from '../../support/ports.ts';
import { CLIENT_TIMEOUT_MS } from './torrent-client.ts';

const SCRIPT: string = fileURLToPath(new URL('libtorrent_dht.py', import.meta.url));

/** Starts a node; `args` are those of `libtorrent_dht.py`. Resolves when it listens. */
export async function startLibtorrentDht(
  args: readonly string[],
): Promise<{ readonly child: Child; readonly node: Endpoint }> {
  const child = startChild('/usr/bin/python3', [SCRIPT, ...args], {
    timeoutMs: CLIENT_TIMEOUT_MS,
  });
  const { port } = await child.waitForLine((line) => line.event === 'listening');
  return { child, node: { host: '127.0.0.1', port: Number(port) } };
}
