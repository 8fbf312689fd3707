import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeBencode } from '../../wire/index.ts';
import type { TorrentSpec } from './messages.ts';
import { startLoop } from './testing/test-loop.ts';

const PIECE = 64 * 1024;

/** A torrent on a web server. */
interface Scene {
  readonly torrent: Uint8Array;
  /** Name in the torrent → content. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly to: string;
}

type Answer = (path: string) => Uint8Array | null;

/** Serves what `answer` gives for a path, in parts or whole. Its URL ends in `/`. */
async function serveFiles(
  t: TestContext,
  answer: Answer,
  hasRanges = true,
): Promise<{ readonly url: string; readonly ranges: string[] }> {
  const ranges: string[] = [];
  const listener: RequestListener = (request, response) => {
    const whole = answer(decodeURIComponent(request.url ?? ''));
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    ranges.push(request.headers.range ?? '');
    if (!whole) response.writeHead(404).end();
    else if (!hasRanges || !range) response.end(whole);
    else {
      const [from, to] = [Number(range[1]), Number(range[2])];
      const headers = { 'content-range': `bytes ${from}-${to}/${whole.length}` };
      response.writeHead(206, headers).end(whole.subarray(from, to + 1));
    }
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ranges };
}

/** Files one after another, and a pad file in between when there are several. */
function makeScene(t: TestContext, url: string, sizes: readonly number[]): Scene {
  const to = fs.mkdtempSync(join(tmpdir(), 'bidwidth-web-seed-'));
  t.after(() => fs.rmSync(to, { recursive: true, force: true }));
  const contents = sizes.map((size) => new Uint8Array(randomBytes(size)));
  const isSingle = sizes.length === 1;
  const files = new Map<string, Uint8Array>();
  const entries: object[] = [];
  const parts: Uint8Array[] = [];
  for (const [at, content] of contents.entries()) {
    const name = `part ${at}#.bin`;
    files.set(isSingle ? '/the file' : `/the folder/sub/${name}`, content);
    entries.push({ length: content.length, path: ['sub', name] });
    parts.push(content);
    const gap = (PIECE - (content.length % PIECE)) % PIECE;
    if (isSingle || gap === 0) continue;
    entries.push({ attr: 'p', length: gap, path: ['.pad', `${gap}`] });
    parts.push(new Uint8Array(gap));
  }
  const whole = Buffer.concat(parts);
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += PIECE) {
    hashes.push(hash('sha1', whole.subarray(at, at + PIECE), 'buffer'));
  }
  const info = {
    ...(isSingle
      ? { length: whole.length, name: 'the file' }
      : { files: entries, name: 'the folder' }),
    'piece length': PIECE,
    pieces: new Uint8Array(Buffer.concat(hashes)),
  };
  return { torrent: encodeBencode({ info, 'url-list': url } as never), files, to };
}

function specOf({ torrent, to }: Scene, peers: TorrentSpec['peers'] = []): TorrentSpec {
  const source = { kind: 'metainfo', bytes: torrent } as const;
  return { source, root: to, peers, useTrackers: false, mustBeComplete: false };
}

function assertHere({ files, to }: Scene): void {
  for (const [path, content] of files) {
    assert.ok(fs.readFileSync(join(to, path)).equals(content), path);
  }
}

for (const hasRanges of [true, false]) {
  const how = hasRanges ? 'sends parts' : 'sends only whole files';
  for (const sizes of [[1_000_003], [300_000, 0, 70_000, 65_536, 5]]) {
    const what = sizes.length === 1 ? 'a file' : 'a folder with padding';
    test(`${what} comes from a web server alone that ${how}`, async (t) => {
      let content: Answer = () => null;
      const { url } = await serveFiles(t, (path) => content(path), hasRanges);
      const scene = makeScene(t, url, sizes);
      content = (path) => scene.files.get(path) ?? null;
      const { loop, until } = await startLoop(t);
      await loop.add(specOf(scene));
      await until('complete');
      assertHere(scene);
    });
  }
}

/** Of a `Range` header with one range. */
function byteCountOf(range: string): number {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  return Number(last) - Number(first) + 1;
}

test('pieces in a row are fetched as one range', async (t) => {
  let content: Answer = () => null;
  const { url, ranges } = await serveFiles(t, (path) => content(path));
  const scene = makeScene(t, url, [40 * PIECE]);
  content = (path) => scene.files.get(path) ?? null;
  const { loop, until } = await startLoop(t);
  await loop.add({ ...specOf(scene), isSequential: true });
  await until('complete');
  assertHere(scene);
  const longest = Math.max(...ranges.map(byteCountOf));
  assert.ok(longest > PIECE, `the longest of ${ranges.length} ranges has ${longest} bytes`);
});

test('a web server with other content is banned, and the peer gives the rest', async (t) => {
  let content: Answer = () => null;
  const { url } = await serveFiles(t, (path) => content(path));
  const scene = makeScene(t, url, [500_000]);
  content = (path) => scene.files.get(path)?.map((byte) => byte ^ 1) ?? null;
  const { loop, until } = await startLoop(t);
  const key = await loop.add(specOf(scene));
  const news = await until('ban');
  assert.ok(news.kind === 'ban' && news.line.includes('127.0.0.1'));
  const from = { ...scene, to: fs.mkdtempSync(join(scene.to, 'seed')) };
  fs.writeFileSync(join(from.to, 'the file'), scene.files.get('/the file') ?? '');
  const seed = await startLoop(t);
  await seed.loop.add({ ...specOf(from), mustBeComplete: true });
  await seed.until('complete');
  await loop.addPeers(key, [{ host: '127.0.0.1', port: seed.loop.port }]);
  await until('complete');
  assertHere(scene);
});

test('a web server and a peer give parts of one torrent', async (t) => {
  let content: Answer = () => null;
  const { url, ranges } = await serveFiles(t, (path) => content(path));
  const scene = makeScene(t, url, [4_000_000]);
  content = (path) => scene.files.get(path) ?? null;
  const from = { ...scene, to: fs.mkdtempSync(join(scene.to, 'seed')) };
  fs.writeFileSync(join(from.to, 'the file'), scene.files.get('/the file') ?? '');
  const seed = await startLoop(t);
  await seed.loop.add({ ...specOf(from), mustBeComplete: true });
  await seed.until('complete');
  const { loop, until } = await startLoop(t, { downloadLimit: 4_000_000 });
  await loop.add(specOf(scene, [{ host: '127.0.0.1', port: seed.loop.port }]));
  await until('complete');
  assertHere(scene);
  const { torrents } = await seed.loop.snapshot();
  assert.ok((torrents[0]?.sentBytes ?? 0) > 0, 'the peer gave something');
  assert.ok(ranges.length > 1, 'the web server gave something');
});

test('a server that lacks the file is said to, without its path', async (t) => {
  const { url } = await serveFiles(t, () => null);
  const scene = makeScene(t, `${url}secret/`, [1000]);
  const { loop, until } = await startLoop(t);
  await loop.add(specOf(scene));
  const news = await until('tracker');
  assert.ok(news.kind === 'tracker' && news.isFailure);
  assert.match(news.line, /^web seed http:\/\/127\.0\.0\.1:\d+ does not have the file$/);
});
