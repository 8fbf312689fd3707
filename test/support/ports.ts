/** Ports from the kernel, and waiting until somebody listens on one. */
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Where a program listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, as options and addresses name it; IPv6 in brackets. */
export function nameOf({ host, port }: Endpoint): string {
  return `${urlHost(host)}:${port}`;
}

/** `host` as it stands before a port: IPv6 in brackets. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * A TCP port that is free on `host` now. Another process may take it before it is used: only for
 * programs that cannot listen on port 0 and say what they got.
 */
export function findFreePort(host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when `endpoint` accepts a connection; throws after `timeoutMs`. */
export async function waitUntilListening(endpoint: Endpoint, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await accepts(endpoint))) {
    if (Date.now() > deadline) {
      throw new Error(`nobody listens on ${endpoint.host}:${endpoint.port} after ${timeoutMs} ms`);
    }
    await delay(25);
  }
}

function accepts(endpoint: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(endpoint);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
