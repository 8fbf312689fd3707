import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '../../units/index.ts';
import { DataFolder } from '../data-folder.ts';
import { torrentOf } from '../session/testing/session-scene.ts';
import type { TorrentNews } from '../transfer/messages.ts';
import { defaultShards, type NodeOptions, startNode } from './torrent-node.ts';

const HOST = '127.0.0.1';
const DEAF = { onNews: (): void => {}, onCrash: (failure: Error): void => assert.ifError(failure) };

function optionsOf(t: TestContext, port: number, shards: number): NodeOptions {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bidwidth-node-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const data = new DataFolder(folder);
  const limits = { uploadLimit: 1_000_000, downloadLimit: Infinity };
  return { data, port, shards, bindHost: HOST, market: null, ...limits };
}

/** A port that somebody listens on until the test ends, with the port after it. */
async function takePort(t: TestContext, port: number): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen({ port, host: HOST }, resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

test('every shard listens on a port of its own', async (t) => {
  const node = await startNode(optionsOf(t, 0, 3), DEAF);
  t.after(() => node.stop());
  const { port, ports } = node.transfer;
  assert.equal(ports[0], port);
  assert.equal(new Set(ports).size, 3);
  assert.ok(ports.every((one) => one > 0));
});

test('the first shard wants the port of the user, the others take what is free', async (t) => {
  const taken = await takePort(t, 0);
  await assert.rejects(
    startNode(optionsOf(t, taken, 2), DEAF),
    (failure) => failure instanceof AppError && failure.code === 'PLATFORM_PORT_TAKEN',
  );
  // The port before it, if that one is free.
  const node = await startNode(optionsOf(t, taken - 1, 2), DEAF).catch(() => null);
  if (!node) return t.skip('the port before a free one is taken');
  t.after(() => node.stop());
  const [first, second] = node.transfer.ports;
  assert.equal(first, taken - 1);
  assert.ok(second !== undefined && second !== taken && second > 0);
});

test('two shards do not write the same file', async (t) => {
  const told: TorrentNews[] = [];
  const { promise: failed, resolve } = Promise.withResolvers<TorrentNews>();
  const onNews = (_torrent: string, news: TorrentNews): void => {
    told.push(news);
    if (news.kind === 'failed' || told.filter(({ kind }) => kind === 'started').length > 1) {
      resolve(news);
    }
  };
  const options = optionsOf(t, 0, 2);
  const node = await startNode(options, { ...DEAF, onNews });
  t.after(() => node.stop());
  for (const fillByte of [1, 2]) {
    const { bytes } = torrentOf('film', new Uint8Array(50_000).fill(fillByte));
    const root = join(options.data.root, 'films');
    const [peers, useTrackers, mustBeComplete] = [[], false, false];
    const source = { kind: 'metainfo', bytes } as const;
    await node.transfer.add({ source, root, peers, useTrackers, mustBeComplete });
  }
  const news = await failed;
  assert.equal(news.kind === 'failed' && news.code, 'DAEMON_FILE_IN_USE');
});

test('by default a node of many torrents has at most four shards', () => {
  assert.ok(defaultShards() >= 1 && defaultShards() <= 4);
});
