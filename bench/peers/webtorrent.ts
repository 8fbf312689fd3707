/** WebTorrent from npm, installed into this folder when a benchmark first wants it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER: string = fileURLToPath(new URL('.', import.meta.url));
const PROGRAM: string = fileURLToPath(new URL('webtorrent-client.mjs', import.meta.url));
const INSTALLED: URL = new URL('node_modules/webtorrent/package.json', import.meta.url);
/** Its install scripts build native parts (uTP, WebRTC) which no benchmark uses. */
const INSTALL: readonly string[] = ['ci', '--ignore-scripts', '--omit=optional', '--no-audit'];
const INSTALL_TIMEOUT_MS = 180_000;

/** Why WebTorrent cannot take part; null when it can. Installs it, which needs the npm registry. */
export function webtorrentUnavailable(): string | null {
  if (existsSync(INSTALLED)) return null;
  const npm = spawnSync('npm', INSTALL, {
    cwd: FOLDER,
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
  });
  if (npm.status === 0) return null;
  const reason = npm.error?.message ?? npm.stderr.trim().split('\n').at(-1);
  return `npm ci in bench/peers failed: ${reason}`;
}

/** The command line that downloads a torrent into a folder from `peers`, HOST:PORT each. */
export function webtorrentCommand(
  torrentPath: string,
  folder: string,
  peers: readonly string[],
): readonly string[] {
  const known = peers.flatMap((peer) => ['--peer', peer]);
  return [process.execPath, PROGRAM, torrentPath, folder, ...known];
}
