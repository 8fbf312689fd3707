/** A web seed: serves files in parts, and breaks off now and then in the middle of one. */
import { once } from 'node:events';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import type { SeededRandom } from '../support/random.ts';

const BREAKS_OFF = 0.1;

/** A running server; its URL ends in a slash. */
export interface WebServer {
  readonly url: string;
  readonly server: Server;
  requests: number;
}

/** Serves what is below `folder`. */
export async function startWebServer(folder: string, random: SeededRandom): Promise<WebServer> {
  const server = createServer((request, response) => {
    running.requests += 1;
    const path = join(folder, normalize(decodeURIComponent(request.url ?? '/')));
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!existsSync(path) || !range || !statSync(path).isFile()) {
      response.writeHead(404).end();
      return;
    }
    const [start, end] = [Number(range[1]), Number(range[2])];
    response.writeHead(206, {
      'content-range': `bytes ${start}-${end}/${statSync(path).size}`,
      'content-length': end - start + 1,
    });
    const last = random.next() < BREAKS_OFF ? Math.floor((start + end) / 2) : end;
    const stream = createReadStream(path, { start, end: last });
    stream.pipe(response, { end: last === end });
    stream.once('end', () => {
      if (last !== end) response.destroy();
    });
    response.once('close', () => stream.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const running: WebServer = { url: `http://127.0.0.1:${port}/`, server, requests: 0 };
  return running;
}
