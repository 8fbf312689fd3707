import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import type { Connection, ConnectionEvents } from '../../engine/index.ts';
import { PlatformError } from '../platform-error.ts';
import { listenTcp, type TcpListener, tcpDialer } from './index.ts';

/** Writes down what happens on a connection, and lets a test wait for it. */
class Recorder implements ConnectionEvents {
  received = 0;
  readonly chunks: Buffer[] = [];
  closed: string | null = null;
  isOpen = false;
  drains = 0;
  #wake: (() => void) | null = null;

  onOpen(): void {
    this.isOpen = true;
    this.#wake?.();
  }
  onBytes(view: Uint8Array): void {
    this.received += view.length;
    // The buffer is shared by all sockets: what is kept must be copied.
    this.chunks.push(Buffer.from(view));
    this.#wake?.();
  }
  onDrain(): void {
    this.drains++;
    this.#wake?.();
  }
  onClosed(reason: string): void {
    assert.equal(this.closed, null, 'closed once');
    this.closed = reason;
    this.#wake?.();
  }
  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

interface Accepted {
  readonly connection: Connection;
  readonly events: Recorder;
}

/** A listening port, and what came in. */
async function listen(
  onAccept: (connection: Connection) => void = () => {},
): Promise<{ listener: TcpListener; accepted: Accepted[]; next: () => Promise<Accepted> }> {
  const accepted: Accepted[] = [];
  let wake: (() => void) | null = null;
  let taken = 0;
  const listener = await listenTcp({ port: 0, host: '127.0.0.1' }, (connection) => {
    const events = new Recorder();
    accepted.push({ connection, events });
    onAccept(connection);
    wake?.();
    return events;
  });
  const next = async (): Promise<Accepted> => {
    while (accepted.length <= taken) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return accepted[taken++] as Accepted;
  };
  return { listener, accepted, next };
}

function dial(port: number): Accepted {
  const events = new Recorder();
  return { connection: tcpDialer().connect('127.0.0.1', port, events), events };
}

test('bytes go both ways, and both ends know each other', async () => {
  const { listener, next } = await listen();
  const near = dial(listener.port);
  await near.events.until(() => near.events.isOpen);
  near.connection.write([Buffer.from('hel'), Buffer.from('lo')]);
  const far = await next();
  await far.events.until(() => far.events.received === 5);
  far.connection.write([Buffer.from('world!')]);
  await near.events.until(() => near.events.received === 6);
  assert.equal(Buffer.concat(far.events.chunks).toString(), 'hello');
  assert.equal(Buffer.concat(near.events.chunks).toString(), 'world!');
  assert.deepEqual([near.connection.isOutbound, far.connection.isOutbound], [true, false]);
  assert.equal(far.connection.remoteHost, '127.0.0.1');
  assert.equal(near.connection.remotePort, listener.port);
  near.connection.close('done');
  await far.events.until(() => far.events.closed !== null);
  listener.close();
});

test('a taken port is said in one plain line that tells what to do', async () => {
  const { listener } = await listen();
  const again = listenTcp({ port: listener.port, host: '127.0.0.1' }, () => new Recorder());
  await assert.rejects(again, (failure) => {
    assert.ok(failure instanceof PlatformError && failure.code === 'PLATFORM_PORT_TAKEN');
    assert.match(failure.message, new RegExp(`port ${listener.port} is taken.*--port`));
    return true;
  });
  listener.close();
});

test('an address that is not ours cannot be listened on', async () => {
  const attempt = listenTcp({ port: 0, host: '192.0.2.1' }, () => new Recorder());
  await assert.rejects(
    attempt,
    (failure) => failure instanceof PlatformError && failure.code === 'PLATFORM_LISTEN',
  );
});

test('a port where nobody listens is said in words', async () => {
  const { listener } = await listen();
  listener.close();
  const near = dial(listener.port);
  await near.events.until(() => near.events.closed !== null);
  assert.equal(near.events.closed, 'nobody listens there');
  assert.equal(near.events.isOpen, false);
});

test('bytes that came before anybody listened for them are not lost', async () => {
  const { listener, next } = await listen();
  const socket = net.connect({ port: listener.port, host: '127.0.0.1' });
  socket.write('early');
  const far = await next();
  await far.events.until(() => far.events.received === 5);
  assert.equal(Buffer.concat(far.events.chunks).toString(), 'early');
  socket.destroy();
  await far.events.until(() => far.events.closed !== null);
  listener.close();
});

test('many connections share one read buffer and keep their bytes apart', async () => {
  const { listener, accepted } = await listen();
  const near = Array.from({ length: 200 }, () => dial(listener.port));
  await Promise.all(near.map(({ events }) => events.until(() => events.isOpen)));
  for (const [nth, { connection }] of near.entries()) {
    for (let part = 0; part < 10; part++) connection.write([Buffer.alloc(1000, nth)]);
  }
  await Promise.all(
    near.map(
      ({ connection }) =>
        new Promise<void>((done) => {
          connection.write([Buffer.alloc(0)], done);
        }),
    ),
  );
  for (const { events } of accepted) await events.until(() => events.received >= 10_000);
  const kinds = new Set<number>();
  for (const { events } of accepted) {
    const bytes = Buffer.concat(events.chunks);
    assert.ok(bytes.equals(Buffer.alloc(10_000, bytes[0])));
    kinds.add(bytes[0] ?? -1);
  }
  assert.equal(kinds.size, 200);
  for (const { connection } of near) connection.close('done');
  for (const { events } of accepted) await events.until(() => events.closed !== null);
  listener.close();
});

// It was only marked as closed: the socket stayed open for as long as its peer wished.
test('a connection that is refused while it is accepted really ends', async () => {
  const { listener, next } = await listen((connection) => connection.close('too many'));
  const socket = net.connect({ port: listener.port, host: '127.0.0.1' });
  socket.on('error', () => {});
  const far = await next();
  await Promise.all([once(socket, 'close'), far.events.until(() => far.events.closed !== null)]);
  assert.equal(far.events.closed, 'too many');
  assert.equal(far.events.received, 0);
  listener.close();
});

test('a peer that hangs up at once is one closed connection, not an error', async () => {
  const { listener, next } = await listen();
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const socket = net.connect({ port: listener.port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket[leave]();
    const far = await next();
    await far.events.until(() => far.events.closed !== null);
    assert.match(far.events.closed ?? '', /hung up|broke the connection/);
    socket.destroy();
  }
  listener.close();
});

test('nothing arrives after a close, and later writes are given back', async () => {
  const { listener, next } = await listen();
  const near = dial(listener.port);
  await near.events.until(() => near.events.isOpen);
  const far = await next();
  near.connection.close('enough');
  far.connection.write([Buffer.from('late')]);
  let isGivenBack = false;
  near.connection.write([Buffer.from('lost')], () => {
    isGivenBack = true;
  });
  near.connection.close('a second reason does not count');
  await near.events.until(() => near.events.closed !== null);
  assert.equal(near.events.closed, 'enough');
  assert.equal(near.events.received, 0);
  assert.equal(isGivenBack, true);
  listener.close();
});

test('what a peer does not read is counted, and given back when it leaves', async () => {
  const { listener, next } = await listen();
  const near = dial(listener.port);
  await near.events.until(() => near.events.isOpen);
  const far = await next();
  near.connection.pauseReading();
  let returned = 0;
  const parts = 64;
  for (let part = 0; part < parts; part++) {
    far.connection.write([new Uint8Array(256 * 1024)], () => returned++);
  }
  assert.ok(far.connection.queuedBytes > 4 * 1024 * 1024, `${far.connection.queuedBytes}`);
  near.connection.resumeReading();
  await near.events.until(() => near.events.received === parts * 256 * 1024);
  await far.events.until(() => far.connection.queuedBytes === 0 && far.events.drains > 0);
  assert.equal(returned, parts);
  near.connection.pauseReading();
  for (let part = 0; part < parts; part++) {
    far.connection.write([new Uint8Array(256 * 1024)], () => returned++);
  }
  far.connection.close('it does not read');
  await far.events.until(() => far.events.closed !== null);
  assert.equal(returned, 2 * parts);
  near.connection.close('done');
  listener.close();
});

test('pausing stops the bytes, resuming brings all of them', async () => {
  const { listener, next } = await listen();
  const near = dial(listener.port);
  await near.events.until(() => near.events.isOpen);
  const far = await next();
  far.connection.pauseReading();
  const size = 32 * 1024 * 1024;
  near.connection.write([new Uint8Array(size)]);
  await new Promise((resolve) => setImmediate(resolve));
  const seen = far.events.received;
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(far.events.received, seen);
  far.connection.resumeReading();
  await far.events.until(() => far.events.received === size);
  near.connection.close('done');
  listener.close();
});
