/** What a player may ask of the server, with pieces that come when the test says so. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { contentTypeOf } from './content-type.ts';
import type { PieceRange, PieceSource } from './piece-desk.ts';
import { StreamServer } from './stream-server.ts';
import type { StreamedFile, StreamedTorrent } from './streamed-torrent.ts';

const PIECE = 16_384;
const KEY = 'ab'.repeat(20);
/** The first file ends within piece 3; the film begins there. */
const OFFSET = 50_000;
const FILM = Uint8Array.from({ length: 1_000_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);

/** Pieces that come when they are called for, or only by `bring`. */
class Pieces implements PieceSource {
  readonly wanted = new Map<number, PromiseWithResolvers<void>>();
  readonly forgotten: number[] = [];
  readonly calls: { readonly piece: number; readonly withinMs: number }[] = [];
  isPrompt = true;
  #onCall: () => void = () => {};

  async whenHere(_torrent: string, range: PieceRange, withinMs: number): Promise<void> {
    const piece = range.firstPiece;
    assert.equal(range.lastPiece, piece);
    this.calls.push({ piece, withinMs });
    this.#onCall();
    if (this.isPrompt) return;
    const wait = this.wanted.get(piece) ?? Promise.withResolvers<void>();
    this.wanted.set(piece, wait);
    await wait.promise;
  }

  async forget(_torrent: string, range: PieceRange): Promise<void> {
    this.forgotten.push(range.firstPiece);
    this.#onCall();
  }

  bring(piece: number): void {
    this.wanted.get(piece)?.resolve();
  }

  /** Resolves when `isSo`, looked at after each call. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onCall = resolve;
      await promise;
    }
  }
}

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bidwidth-stream-'));
  await mkdir(join(folder, 'set'));
  await writeFile(join(folder, 'set', 'film.mp4'), FILM);
  await writeFile(join(folder, 'set', 'empty.txt'), '');
});

after(() => rm(folder, { recursive: true }));

test('a whole file, with its length, its type and its tag', async () => {
  await using stage = await start();
  const { answer, body } = await stage.get();
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(pick(answer, 'content-length', 'content-type', 'accept-ranges', 'etag'), [
    ...[`${FILM.length}`, 'video/mp4', 'bytes', `"${KEY}-0"`],
  ]);
  assert.ok(body.equals(FILM));
});

test('a page in a torrent is bytes to a browser, not a page of ours', async () => {
  for (const name of [
    'a.html',
    'a.HTM',
    'a.xhtml',
    'a.svg',
    'a.xml',
    'a.js',
    'a.mjs',
    'a.pdf',
    'a',
  ]) {
    assert.equal(contentTypeOf(name), 'application/octet-stream', name);
  }
  await using stage = await start();
  const { answer } = await stage.get();
  assert.deepEqual(pick(answer, 'x-content-type-options', 'cross-origin-resource-policy'), [
    ...['nosniff', 'same-site'],
  ]);
});

for (const [range, start_, end] of [
  ['bytes=0-0', 0, 1],
  ['bytes=16383-16384', 16_383, 16_385],
  ['bytes=500000-', 500_000, FILM.length],
  ['bytes=-10', FILM.length - 10, FILM.length],
  ['bytes=999999-5000000', 999_999, FILM.length],
] as const) {
  test(`${range} is that part and says so`, async () => {
    await using stage = await start();
    const { answer, body } = await stage.get({ headers: { range } });
    assert.equal(answer.statusCode, 206);
    assert.deepEqual(pick(answer, 'content-length', 'content-range'), [
      ...[`${end - start_}`, `bytes ${start_}-${end - 1}/${FILM.length}`],
    ]);
    assert.ok(body.equals(FILM.subarray(start_, end)));
  });
}

test('a part that is not there is 416 with the length', async () => {
  await using stage = await start();
  const { answer } = await stage.get({ headers: { range: `bytes=${FILM.length}-` } });
  assert.equal(answer.statusCode, 416);
  assert.equal(answer.headers['content-range'], `bytes */${FILM.length}`);
});

test('HEAD tells all and asks for no piece, nor heeds a range', async () => {
  await using stage = await start();
  const headers = { range: 'bytes=5-9' };
  const { answer, body } = await stage.get({ method: 'HEAD', headers });
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(pick(answer, 'content-length', 'accept-ranges'), [`${FILM.length}`, 'bytes']);
  assert.equal(body.length, 0);
  assert.equal(stage.pieces.calls.length, 0);
});

test('an empty file is an empty answer', async () => {
  await using stage = await start();
  const { answer, body } = await stage.get({ path: `/${KEY}/1/empty.txt` });
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers['content-length'], '0');
  assert.equal(body.length, 0);
});

test('conditions: what the client has, it is not sent again; another file is sent as a whole', async () => {
  await using stage = await start();
  const tag = `"${KEY}-0"`;
  const statusOf = async (headers: Record<string, string>): Promise<number | undefined> =>
    (await stage.get({ headers })).answer.statusCode;
  assert.equal(await statusOf({ 'if-none-match': tag }), 304);
  assert.equal(await statusOf({ 'if-none-match': '"other"' }), 200);
  assert.equal(await statusOf({ 'if-match': '"other"' }), 412);
  assert.equal(await statusOf({ 'if-match': `"other", ${tag}` }), 200);
  assert.equal(await statusOf({ 'if-range': tag, range: 'bytes=0-4' }), 206);
  assert.equal(await statusOf({ 'if-range': '"other"', range: 'bytes=0-4' }), 200);
});

test('what is not there is 404, and nothing can be written', async () => {
  await using stage = await start();
  for (const path of [
    ...[`/${KEY}/2/film.mp4`, `/${KEY}/x/film.mp4`, `/${KEY}/-1/film.mp4`, `/${KEY}/0`],
    ...[`/${'cd'.repeat(20)}/0/film.mp4`, '/film.mp4', `/${KEY}/0/..%2f..%2fetc/passwd`],
  ]) {
    assert.equal((await stage.get({ path })).answer.statusCode, 404, path);
  }
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const { answer } = await stage.get({ method });
    assert.equal(answer.statusCode, 405);
    assert.equal(answer.headers.allow, 'GET, HEAD');
  }
});

test('a page that makes its name point to this machine learns nothing', async () => {
  await using stage = await start();
  const { answer, body } = await stage.get({ headers: { host: 'evil.example' } });
  assert.equal(answer.statusCode, 403);
  assert.ok(!body.includes(Buffer.from(FILM.subarray(0, 64))));
  const allowed = await stage.get({ headers: { origin: 'http://evil.example' } });
  assert.equal(allowed.answer.headers['access-control-allow-origin'], undefined);
});

test('two hundred and fifty-six connections are kept, and no more', async () => {
  await using stage = await start();
  const { hostname, port } = new URL(stage.server.url);
  const sockets = Array.from({ length: 256 }, () => connect(Number(port), hostname));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await assert.rejects(stage.get(), { code: /^(ECONNRESET|EPIPE)$/ });
  const [first, last] = [sockets[0] ?? assert.fail(), sockets[255] ?? assert.fail()];
  for (const socket of [first, last]) {
    socket.write(`GET / HTTP/1.1\r\nhost: ${hostname}:${port}\r\nconnection: close\r\n\r\n`);
    assert.match((await collect(socket)).toString(), /^HTTP\/1.1 200 /);
  }
  for (const socket of sockets) socket.destroy();
});

test('the playlist names every file', async () => {
  await using stage = await start();
  const { answer, body } = await stage.get({ path: '/' });
  assert.match(`${answer.headers['content-type']}`, /mpegurl/);
  assert.ok(body.toString().includes(`${stage.server.url}${KEY}/0/film.mp4\n`));
});

test('the piece at the place asked for comes first, the next ones later, the one after none', async () => {
  await using stage = await start({ isPrompt: false });
  const answer = await stage.open({ range: 'bytes=200000-259999' });
  const first = pieceAt(200_000);
  await stage.pieces.until(() => stage.pieces.calls.length > 3);
  const [one, two] = stage.pieces.calls;
  assert.deepEqual(one, { piece: first, withinMs: 0 });
  assert.equal(two?.piece, first + 1);
  assert.ok((two?.withinMs ?? 0) > 0);
  stage.pieces.bring(first);
  const [chunk] = (await once(answer, 'data')) as [Buffer];
  assert.ok(chunk.equals(FILM.subarray(200_000, 200_000 + chunk.length)));
  assert.ok(chunk.length <= pieceEnd(first) - 200_000, 'nothing of a piece that is not here');
  const last = pieceAt(259_999);
  assert.equal(Math.max(...stage.pieces.calls.map(({ piece }) => piece)), last);
});

test('a client that goes away has its pieces forgotten while it waits', async () => {
  await using stage = await start({ isPrompt: false });
  const answer = await stage.open({ range: 'bytes=200000-' });
  await stage.pieces.until(() => stage.pieces.calls.length > 3);
  assert.equal(stage.server.readers, 1);
  answer.destroy();
  const first = pieceAt(200_000);
  await stage.pieces.until(() => stage.pieces.forgotten.includes(first));
  await stage.pieces.until(() => stage.pieces.forgotten.includes(first + 3));
});

test('a piece that another client still waits for is not forgotten', async () => {
  await using stage = await start({ isPrompt: false });
  const one = await stage.open({ range: 'bytes=200000-' });
  const two = await stage.open({ range: 'bytes=300000-' });
  await stage.pieces.until(() =>
    stage.pieces.calls.some(({ piece }) => piece === pieceAt(999_999)),
  );
  one.destroy();
  await stage.pieces.until(() => stage.pieces.forgotten.includes(pieceAt(200_000)));
  assert.ok(!stage.pieces.forgotten.includes(pieceAt(300_000)));
  stage.pieces.bring(pieceAt(300_000));
  const [chunk] = (await once(two, 'data')) as [Buffer];
  assert.ok(chunk.equals(FILM.subarray(300_000, 300_000 + chunk.length)));
});

test('a complete torrent asks nobody for pieces', async () => {
  await using stage = await start({ isPrompt: false });
  stage.server.complete(KEY);
  const { body } = await stage.get();
  assert.ok(body.equals(FILM));
  assert.equal(stage.pieces.calls.length, 0);
});

test('a torrent that fails breaks the answer off', async () => {
  await using stage = await start({ isPrompt: false });
  const answer = await stage.open({});
  await stage.pieces.until(() => stage.pieces.wanted.has(pieceAt(0)));
  stage.pieces.wanted.get(pieceAt(0))?.reject(new Error('the disk is full'));
  await assert.rejects(collect(answer), { code: 'ECONNRESET' });
});

test('a port that is taken is a plain failure', async () => {
  await using stage = await start();
  const port = Number(new URL(stage.server.url).port);
  const options = { pieces: stage.pieces, host: '127.0.0.1', port };
  await assert.rejects(StreamServer.start(options), { code: 'PLATFORM_PORT_TAKEN' });
});

function pieceAt(position: number): number {
  return Math.floor((OFFSET + position) / PIECE);
}

/** Where `piece` ends in the film. */
function pieceEnd(piece: number): number {
  return (piece + 1) * PIECE - OFFSET;
}

interface Stage extends AsyncDisposable {
  readonly server: StreamServer;
  readonly pieces: Pieces;
  /** Asks for the film, or for what the options say, and reads all of it. */
  get(options?: RequestOptions): Promise<{ answer: IncomingMessage; body: Buffer }>;
  /** Asks for the film and reads nothing yet. */
  open(headers: Readonly<Record<string, string>>): Promise<IncomingMessage>;
}

async function start({ isPrompt = true }: { isPrompt?: boolean } = {}): Promise<Stage> {
  const pieces = new Pieces();
  pieces.isPrompt = isPrompt;
  const server = await StreamServer.start({ pieces, host: '127.0.0.1', port: 0 });
  server.add(theTorrent());
  const url = `${server.url}${KEY}/0/film.mp4`;
  const ask = async (options: RequestOptions): Promise<IncomingMessage> => {
    const { path, ...rest } = options;
    const target = path ? new URL(path, server.url) : new URL(url);
    const call = request(target, { agent: false, ...rest, ...(path ? { path } : {}) });
    call.end();
    return ((await once(call, 'response')) as [IncomingMessage])[0];
  };
  return {
    server,
    pieces,
    get: async (options = {}) => {
      const answer = await ask(options);
      return { answer, body: await collect(answer) };
    },
    open: (headers) => ask({ headers }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function theTorrent(): StreamedTorrent {
  const file = (index: number, name: string, lengthBytes: number): StreamedFile => ({
    index,
    position: index + 1,
    path: `set/${name}`,
    name,
    absolutePath: join(folder, 'set', name),
    lengthBytes,
    offsetBytes: OFFSET,
  });
  const files = [file(0, 'film.mp4', FILM.length), file(1, 'empty.txt', 0)];
  const pieceCount = Math.ceil((OFFSET + FILM.length) / PIECE);
  const shape = { pieceLengthBytes: PIECE, pieceCount, fileCount: 2 };
  return { key: KEY, name: 'set', ...shape, files };
}

function pick(answer: IncomingMessage, ...names: readonly string[]): unknown[] {
  return names.map((name) => answer.headers[name]);
}

async function collect(answer: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
