/** A seeder, a tracker and a web server behind a proxy; torrents that name much else besides. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Desk, makeDesk, portOf } from '../cli/run.ts';
import { writeRandomFile } from '../support/files.ts';
import { startMiniTracker } from '../support/mini-tracker.ts';

/** Names that only the proxy can look up. */
export const NAMES: Readonly<Record<string, string>> = {
  'tracker.leak.test': '127.0.0.1',
  'seed.leak.test': '127.0.0.1',
  'peer.leak.test': '127.0.0.1',
};

/** Where nobody is who could answer. */
export const ELSEWHERE = '9.9.9.9';

/** What is behind the proxy. */
export interface Scene extends AsyncDisposable {
  readonly desk: Desk;
  /** Has trackers of all kinds, and web seeds that have nothing. */
  readonly torrent: string;
  /** Has no tracker, but a web seed that has everything. */
  readonly webTorrent: string;
  /** Names trackers and peers of all kinds. */
  readonly magnet: string;
  /** `host:port` as the proxy should hear of them. */
  readonly tracker: string;
  readonly webSeed: string;
  readonly peer: string;
  /** Whether what was downloaded to the desk's folder `to` is right. */
  isRight(to: string): boolean;
}

/** Options that would have a node look for others in every other way. */
export const TALKATIVE: readonly string[] = [
  ...['--dht-node', `${ELSEWHERE}:6881`, '--dht-node', 'dht.leak.test:6881', '--json'],
];

/** Makes it. */
export async function makeScene(label: string): Promise<Scene> {
  const desk = await makeDesk(label);
  const film = desk.at('source', 'film.bin');
  await writeRandomFile(film, 3_000_000);
  const web = createServer((request, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (request.url !== '/all/film.bin' || !range) return response.writeHead(404).end();
    const [whole, from, to] = [readFileSync(film), Number(range[1]), Number(range[2])];
    response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${whole.length}` });
    return response.end(whole.subarray(from, to + 1));
  });
  const webSeed = `seed.leak.test:${await listen(web)}`;
  const plain = await create(desk, 'plain', []);
  const seeder = desk.start([
    ...['seed', desk.at('plain.torrent'), '--from', desk.at('source'), '--bind', '127.0.0.1'],
    ...['--port', '0', '--json'],
  ]);
  const port = await portOf(seeder);
  const mini = await startMiniTracker('127.0.0.1', [{ host: '127.0.0.1', port }]);
  const tracker = `tracker.leak.test:${new URL(mini.announceUrl).port}`;
  const trackers = [
    ...[`http://${tracker}/announce`, `udp://${tracker}/announce`],
    ...[`udp://${ELSEWHERE}:1337/announce`, `https://${ELSEWHERE}/announce`],
    'http://unknown.leak.test/announce',
  ];
  await create(desk, 'listed', [
    ...trackers.flatMap((url) => ['--tracker', url]),
    ...['--web-seed', `http://${webSeed}/nothing/`, '--web-seed', `http://${ELSEWHERE}/`],
  ]);
  await create(desk, 'web', ['--web-seed', `http://${webSeed}/all/`]);
  const peer = `peer.leak.test:${port}`;
  const named = trackers.map((url) => `&tr=${encodeURIComponent(url)}`).join('');
  const peers = [peer, `${ELSEWHERE}:6881`, '[2001:db8::9]:6881'].map((one) => `&x.pe=${one}`);
  return {
    ...{ desk, tracker, webSeed, peer },
    torrent: desk.at('listed.torrent'),
    webTorrent: desk.at('web.torrent'),
    magnet: `magnet:?xt=urn:btih:${plain}${named}${peers.join('')}`,
    isRight: (to) => readFileSync(desk.at(to, 'film.bin')).equals(readFileSync(film)),
    [Symbol.asyncDispose]: async () => {
      web.closeAllConnections();
      web.close();
      await mini.close();
      await desk[Symbol.asyncDispose]();
    },
  };
}

/** Makes a torrent of the film; its info-hash, which is the same for all. */
export async function create(
  desk: Desk,
  name: string,
  options: readonly string[],
): Promise<string> {
  const made = await desk.run([
    ...['create', desk.at('source', 'film.bin'), '--out', desk.at(`${name}.torrent`)],
    ...['--piece-length', '64K', '--json', ...options],
  ]);
  assert.equal(made.code, 0, made.stderr);
  return `${made.summary['infoHashV1']}`;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
