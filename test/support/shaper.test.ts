/** The link that benchmarks stand on has to be one itself. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startShaper } from './shaper.ts';

const DELAY_MS = 50;
/** A busy machine runs timers late; never early. */
const LATE_MS = 60;

test('an echo comes back after two delays, each time', async () => {
  await using far = await listen((socket) => socket.pipe(socket));
  await using link = await startShaper({ target: far.endpoint, delayMs: DELAY_MS });
  const socket = connect(link.port, '127.0.0.1');
  await once(socket, 'connect');
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    socket.write('ping');
    await once(socket, 'data');
    const tookMs = performance.now() - start;
    assert.ok(tookMs >= 2 * DELAY_MS - 2, `never sooner: ${tookMs}`);
    assert.ok(tookMs < 2 * DELAY_MS + LATE_MS, `nor much later: ${tookMs}`);
  }
  socket.destroy();
});

test('the rate is that of the link, and every byte keeps its place', async () => {
  const sent = randomBytes(400_000);
  await using far = await listen((socket) => socket.end(sent));
  const options = { target: far.endpoint, delayMs: DELAY_MS, bytesPerSecond: 1_000_000 };
  await using link = await startShaper(options);
  const start = performance.now();
  const got = await collect(connect(link.port, '127.0.0.1'));
  const tookMs = performance.now() - start;
  assert.ok(sent.equals(got));
  assert.ok(tookMs >= 400 + DELAY_MS - 2, `never sooner: ${tookMs}`);
  assert.ok(tookMs < 400 + DELAY_MS + 5 * LATE_MS, `nor much later: ${tookMs}`);
  assert.equal(link.deliveredBytes(), sent.length);
});

test('two connections share the link', async () => {
  const sent = randomBytes(100_000);
  await using far = await listen((socket) => socket.end(sent));
  const options = { target: far.endpoint, delayMs: 0, bytesPerSecond: 1_000_000 };
  await using link = await startShaper(options);
  const start = performance.now();
  const got = await Promise.all([1, 2].map(() => collect(connect(link.port, '127.0.0.1'))));
  assert.ok(got.every((one) => one.equals(sent)));
  assert.ok(performance.now() - start >= 198, 'together they are no faster than one');
});

test('what a slow reader does not read is held back at the sender', async () => {
  const sent = randomBytes(40 << 20);
  let source: Socket | null = null;
  await using far = await listen((socket) => {
    source = socket;
    socket.end(sent);
  });
  await using link = await startShaper({ target: far.endpoint, delayMs: 1 });
  const socket = connect(link.port, '127.0.0.1').pause();
  // Until nothing moves any more.
  for (let before = -1; before !== link.deliveredBytes(); await delay(50)) {
    before = link.deliveredBytes();
  }
  const [left, got] = [(source as Socket | null)?.writableLength ?? 0, collect(socket)];
  assert.ok(left > 0, 'the sender still has some of it');
  assert.ok(sent.equals(await got));
});

test('a connection that breaks at one end breaks at the other', async () => {
  const broken = Promise.withResolvers<void>();
  await using far = await listen((socket) => {
    socket.on('error', () => {});
    socket.once('close', () => broken.resolve());
  });
  await using link = await startShaper({ target: far.endpoint, delayMs: 1 });
  const socket = connect(link.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.resetAndDestroy();
  await broken.promise;
});

interface Far extends AsyncDisposable {
  readonly endpoint: { readonly host: string; readonly port: number };
}

async function listen(onSocket: (socket: Socket) => void): Promise<Far> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return { endpoint: { host: '127.0.0.1', port }, [Symbol.asyncDispose]: close };
}

async function collect(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
