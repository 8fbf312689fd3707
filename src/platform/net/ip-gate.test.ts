/** The filter list against real sockets: refused, ended before it is heard, and read again. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseIpList } from '../../discovery/index.ts';
import type { Connection, ConnectionEvents } from '../../engine/index.ts';
import { IpGate, readIpList, watchIpList } from './ip-gate.ts';
import { tcpDialer } from './tcp-dialer.ts';
import { listenTcp } from './tcp-listener.ts';

const LOOPBACK = parseIpList('127.0.0.0/8').filter;
const NOBODY = parseIpList('192.0.2.0/24').filter;

function recorder(): { readonly events: ConnectionEvents; readonly closed: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const quiet = (): void => {};
  return {
    closed: promise,
    events: { onOpen: quiet, onBytes: quiet, onDrain: quiet, onClosed: resolve },
  };
}

test('an address of the list is not dialled', async () => {
  const { events, closed } = recorder();
  const dialled: string[] = [];
  const inner = tcpDialer();
  const gate = new IpGate(LOOPBACK);
  const dialer = gate.dialer({
    connect: (host, port, given) => {
      dialled.push(host);
      return inner.connect(host, port, given);
    },
  });
  dialer.connect('127.0.0.1', 9, events);
  assert.match(await closed, /filter list/);
  assert.deepEqual(dialled, []);
});

test('a connection from an address of the list is ended, and an old one when the list says so', async () => {
  const gate = new IpGate(NOBODY);
  const accepted: Connection[] = [];
  const listener = await listenTcp(
    { port: 0, host: '127.0.0.1' },
    gate.acceptor((connection) => {
      accepted.push(connection);
      return recorder().events;
    }),
  );
  try {
    const ends = (): Promise<void> =>
      new Promise((resolve) => {
        const socket = net.connect(listener.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        socket.on('connect', () => setTimeout(() => gate.replace(LOOPBACK), 50));
      });
    await ends();
    assert.equal(accepted.length, 1);
    await ends();
    assert.equal(accepted.length, 1, 'the second one was never heard');
  } finally {
    listener.close();
  }
});

test('a list is read again when its file changes, and one that cannot be read says why', async (t) => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bidwidth-list-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const path = join(folder, 'list.p2p');
  assert.throws(() => readIpList(path), /cannot be read/);
  fs.writeFileSync(path, 'what is this?\n');
  assert.throws(() => readIpList(path), /line 1/);
  fs.writeFileSync(path, 'a:1.0.0.0-1.0.0.9\n');
  assert.ok(readIpList(path).isBlocked('1.0.0.5'));
  // Watching alone does not keep a process alive.
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  const changed = new Promise<boolean>((resolve) => {
    const stop = watchIpList(path, (filter) => {
      stop();
      resolve(filter.isBlocked('2.0.0.5'));
    });
  });
  fs.writeFileSync(path, 'a:2.0.0.0-2.0.0.9, and more\na:2.0.0.0-2.0.0.9\n');
  assert.ok(await changed);
});
