/** Ports from the kernel, and waiting until somebody listens on one. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Where a program listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Below those that kernels give to who asks for none, above the well known. */
const PORTS = { min: 10_240, count: 20_000 } as const;
const handedOut = new Set<number>();

/**
 * A port that is free on `host` for TCP and UDP now, given once, and never to somebody who asks the
 * kernel for any. Another program may take it yet: only for those that cannot listen on port 0 and
 * say what they got.
 */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = PORTS.min + Math.floor(Math.random() * PORTS.count);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isFree({ host, port })) return port;
  }
}

/** Rejects where the address is none of this machine. */
async function isFree({ host, port }: Endpoint): Promise<boolean> {
  const server = createServer();
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    await Promise.all([
      once(server.listen(port, host), 'listening'),
      once(socket.bind(port, host), 'listening'),
    ]);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
    socket.close();
  }
}

/** Resolves when `endpoint` accepts a connection; throws after `timeoutMs`. */
export async function waitUntilListening(endpoint: Endpoint, timeoutMs = 60_000): Promise<void> {
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
