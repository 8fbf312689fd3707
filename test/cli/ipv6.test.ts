/** The whole way over IPv6: listening, dialling, `peers6` of a tracker, a peer named by address. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { type Desk, makeDesk, portOf } from './run.ts';

function hasIpv6(t: TestContext): boolean {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  if (all.some(({ address }) => address === '::1')) return true;
  t.skip('this machine has no ::1');
  return false;
}

async function makeTorrent(desk: Desk, options: readonly string[] = []): Promise<string> {
  await writeRandomFile(desk.at('source', 'a.bin'), 2_000_000);
  const torrent = desk.at('a.torrent');
  const made = await desk.run(['create', desk.at('source', 'a.bin'), '--out', torrent, ...options]);
  assert.equal(made.code, 0, made.stderr);
  return torrent;
}

test('a seed on ::1 is reached by its address, also when it listens on all', async (t) => {
  if (!hasIpv6(t)) return;
  for (const bind of [['--bind', '::1'], []]) {
    await using desk = await makeDesk('ipv6');
    const torrent = await makeTorrent(desk, []);
    const common = ['--port', '0', '--no-trackers', '--json'];
    const seeder = desk.start(
      ['seed', torrent, '--from', desk.at('source'), ...common, ...bind],
      'seed-home',
    );
    const port = await portOf(seeder);
    await seeder.waitForLine(({ event }) => event === 'seeding');
    const ended = await desk.run([
      ...['download', torrent, '--to', desk.at('copy'), ...common, '--peer', `[::1]:${port}`],
    ]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await digestTree(desk.at('copy')), await digestTree(desk.at('source')));
  }
});

test('a tracker on ::1 introduces two nodes that have no IPv4 in common', async (t) => {
  if (!hasIpv6(t)) return;
  await using desk = await makeDesk('ipv6-tracker');
  const tracker = desk.start(['tracker', '--host', '::1', '--port', '0', '--json']);
  const { announceUrls } = await tracker.waitForLine(({ event }) => event === 'listening');
  const urls = announceUrls as readonly string[];
  const torrent = await makeTorrent(
    desk,
    urls.flatMap((url) => ['--tracker', url]),
  );
  const common = ['--port', '0', '--bind', '::1', '--json'];
  const seeder = desk.start(['seed', torrent, '--from', desk.at('source'), ...common], 'seed-home');
  await seeder.waitForLine(({ event, isFailure }) => event === 'tracker' && isFailure === false);
  const ended = await desk.run(['download', torrent, '--to', desk.at('copy'), ...common]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await digestTree(desk.at('copy')), await digestTree(desk.at('source')));
});
