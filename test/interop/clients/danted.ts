/** Dante, a SOCKS5 proxy that relays datagrams too, with a login and names of its own. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from '../../support/children.ts';
import { findFreePort, waitUntilListening } from '../../support/ports.ts';
import { CLIENT_TIMEOUT_MS, missingCommand } from './torrent-client.ts';

/** How it is set up. */
export interface DantedOptions {
  /** Address that it listens on; what it passes on leaves from 127.0.0.1. */
  readonly host: string;
  /** For its files. */
  readonly folder: string;
  readonly login: { readonly user: string; readonly password: string };
  /** Names that nobody else can look up. */
  readonly names: Readonly<Record<string, string>>;
  /** What clients may ask for; `udpassociate` is datagrams. */
  readonly commands: readonly ('connect' | 'udpassociate')[];
}

/** A running Dante. */
export interface Danted extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

/** Ports that it takes datagrams of clients at; the kernel gives them to nobody else. */
export const DANTED_RELAY_PORTS = '10100-10199';

/** Why it cannot run here; null when it can. */
export function dantedUnavailable(): string | null {
  if (process.getuid?.() !== 0) return 'danted needs root for names and users of its own';
  return missingCommand('danted', 'dante-server');
}

/** Starts it. */
export async function startDanted(options: DantedOptions): Promise<Danted> {
  const { host, folder, login, names } = options;
  const port = await findFreePort(host);
  mkdirSync(folder, { recursive: true });
  const hosts = Object.entries(names).map(([name, address]) => `${address} ${name}\n`);
  const hashed = spawnSync('openssl', ['passwd', '-6', login.password], { encoding: 'utf8' });
  const users = ['root:x:0:0::/:/bin/sh', 'nobody:x:65534:65534::/:/bin/false'];
  const files = {
    hosts: hosts.join(''),
    passwd: [...users, `${login.user}:x:4242:4242::/:/bin/false`, ''].join('\n'),
    shadow: `${login.user}:${hashed.stdout.trim()}:19000::::::\n`,
    'danted.conf': configuration(port, options),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const script =
    'cd "$1" && for file in hosts passwd shadow; do mount --bind $file /etc/$file; done && ' +
    'exec danted -f danted.conf';
  const args = ['--mount', 'sh', '-c', script, 'sh', folder];
  const child: Child = startChild('unshare', args, { timeoutMs: CLIENT_TIMEOUT_MS });
  await waitUntilListening({ host, port });
  return {
    url: `socks5://${login.user}:${login.password}@${host}:${port}`,
    port,
    [Symbol.asyncDispose]: async () => void (await child.stop()),
  };
}

function configuration(port: number, { host, commands }: DantedOptions): string {
  const everybody = 'from: 0.0.0.0/0 to: 0.0.0.0/0';
  const range = `udp.portrange: ${DANTED_RELAY_PORTS}`;
  return [
    ...['logoutput: stderr', `internal: ${host} port = ${port}`, 'external: 127.0.0.1'],
    ...['user.privileged: root', 'user.unprivileged: nobody'],
    ...['clientmethod: none', 'socksmethod: username'],
    ...['client pass {', everybody, 'log: error', '}'],
    ...['socks pass {', everybody, `command: ${commands.join(' ')}`, range, 'log: error', '}'],
    ...['socks pass {', everybody, 'command: bindreply udpreply', range, 'log: error', '}', ''],
  ].join('\n');
}
