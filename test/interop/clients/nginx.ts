/** nginx as a web seed: a server that was not written for BitTorrent. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from '../../support/children.ts';
import { findFreePort, waitUntilListening } from '../../support/ports.ts';
import { CLIENT_TIMEOUT_MS, makeHome, missingCommand } from './torrent-client.ts';

const HOST = '127.0.0.1';

/** A server that ends with it. */
export interface WebServer extends AsyncDisposable {
  /** Of its root, with a slash at the end. */
  readonly url: string;
}

/** Why nginx cannot run here; null when it can. */
export function nginxUnavailable(): string | null {
  return missingCommand('nginx', 'nginx-light');
}

/** Serves the files below `root`, with ranges; what it writes itself goes into `homeFolder`. */
export async function startNginx(root: string, homeFolder: string): Promise<WebServer> {
  const home = await makeHome(homeFolder);
  const port = await findFreePort(HOST);
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const settings = `
    daemon off; master_process off; error_log stderr; pid ${home}/nginx.pid;
    events {}
    http {
      access_log off; ${kinds.map((kind) => `${kind}_temp_path ${home}/${kind};`).join(' ')}
      server { listen ${HOST}:${port}; root ${root}; }
    }`;
  const path = join(home, 'nginx.conf');
  await writeFile(path, settings);
  const child = startChild('nginx', ['-p', home, '-c', path], { timeoutMs: CLIENT_TIMEOUT_MS });
  await waitUntilListening({ host: HOST, port });
  return {
    url: `http://${HOST}:${port}/`,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
