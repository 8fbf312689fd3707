/** A torrent that nobody but the DHT knows of, from one of our processes to another. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DhtService } from '../../src/platform/dht/index.ts';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { type Desk, makeDesk, portOf } from './run.ts';

let desk: Desk;
let keeper: DhtService;

before(async () => {
  desk = await makeDesk('dht');
  const alone = { port: 0, bindHost: '127.0.0.1', file: null, routers: [], isReadOnly: false };
  keeper = await DhtService.start(alone);
  await writeRandomFile(desk.at('source', 'film', 'a.bin'), 1_000_000);
});

after(async () => {
  await keeper.stop();
  await desk[Symbol.asyncDispose]();
});

async function make(name: string, options: readonly string[]): Promise<string> {
  const out = desk.at(`${name}.torrent`);
  const made = await desk.run([
    ...['create', desk.at('source', 'film'), '--out', out, '--json', ...options],
  ]);
  assert.equal(made.code, 0, made.stderr);
  return `${made.summary['infoHashV1']}`;
}

function network(): readonly string[] {
  const node = `127.0.0.1:${keeper.port}`;
  return ['--port', '0', '--bind', '127.0.0.1', '--dht-node', node, '--json'];
}

test('a bare info-hash is enough to download what another node seeds', async () => {
  const infoHash = await make('film', []);
  const from = ['--from', desk.at('source')];
  const seeder = desk.start(['seed', desk.at('film.torrent'), ...from, ...network()], 'seeder');
  await portOf(seeder);
  const magnet = `magnet:?xt=urn:btih:${infoHash}`;
  const ended = await desk.run(['download', magnet, '--to', desk.at('copy'), ...network()]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await digestTree(desk.at('copy')), await digestTree(desk.at('source')));
});

test('a private torrent is announced to nobody in the DHT (BEP 27)', async () => {
  const infoHash = await make('private', ['--private']);
  const from = ['--from', desk.at('source')];
  const seeder = desk.start(
    ['seed', desk.at('private.torrent'), ...from, ...network()],
    'private-seeder',
  );
  await portOf(seeder);
  const open = await make('public', ['--piece-length', '32K']);
  const other = desk.start(['seed', desk.at('public.torrent'), ...from, ...network()], 'other');
  await portOf(other);
  const heard: string[] = [];
  const follow = (hash: string): Promise<void> =>
    new Promise((resolve) => {
      const onPeers = (): void => {
        heard.push(hash);
        resolve();
      };
      keeper.follow({ infoHash: Buffer.from(hash, 'hex'), port: 0, isSeed: () => false, onPeers });
    });
  void follow(infoHash);
  // The other one began later: when it has been heard of, the private one would have been.
  await follow(open);
  assert.deepEqual(heard, [open]);
});
