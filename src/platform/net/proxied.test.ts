import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Connection, ConnectionEvents } from '../../engine/index.ts';
import { Egress } from '../egress/index.ts';
import { startLiar, startTestProxy } from '../egress/testing/proxies.ts';
import { PeerNetwork } from './peer-network.ts';

/** Answers whatever comes with the same. */
function echo(connection: Connection): ConnectionEvents {
  const onBytes = (view: Uint8Array): void => connection.write([view.slice()]);
  return { onOpen: () => {}, onBytes, onDrain: () => {}, onClosed: () => {} };
}

async function open(t: TestContext, egress: Egress, useTcp = true): Promise<PeerNetwork> {
  const options = { port: 0, egress, useTcp, useUtp: true, ipList: null };
  const network = await PeerNetwork.open(options, echo);
  t.after(() => network.close());
  return network;
}

/** Dials, and says what comes to the ear: the bytes that came back, or why it was closed. */
function hear(network: PeerNetwork, host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const connection = network.dialer.connect(host, port, {
      onOpen: () => connection.write([Buffer.from('hello')]),
      onDrain: () => {},
      onBytes: (view) => {
        heard += Buffer.from(view).toString();
        if (heard === 'hello') connection.close('heard it');
      },
      onClosed: (reason) => resolve(`${heard}, ${reason}`),
    });
  });
}

const LOOPBACK = new Egress({ bindHost: '127.0.0.1' }, () => {});

for (const kind of ['socks5', 'http'] as const) {
  test(`a peer is dialled through a ${kind} proxy, which is all that is open`, async (t) => {
    await using proxy = await startTestProxy({ kind, names: { 'peer.test': '127.0.0.1' } });
    const far = await open(t, LOOPBACK);
    const near = await open(t, new Egress({ bindHost: null, proxy: proxy.address }, () => {}));
    assert.equal(near.port, 0, 'nobody can come in');
    assert.equal(await hear(near, '127.0.0.1', far.port), 'hello, heard it');
    assert.equal(await hear(near, 'peer.test', far.port), 'hello, heard it');
    assert.deepEqual(proxy.asked, [`127.0.0.1:${far.port}`, `peer.test:${far.port}`]);
  });
}

test('through a proxy that carries datagrams a peer is dialled by uTP', async (t) => {
  await using proxy = await startTestProxy({ kind: 'socks5', udp: {} });
  const far = await open(t, LOOPBACK, false);
  const near = await open(t, new Egress({ bindHost: null, proxy: proxy.address }, () => {}));
  assert.equal(await hear(near, '127.0.0.1', far.port), 'hello, heard it');
  const at = `127.0.0.1:${far.port}`;
  assert.deepEqual(proxy.asked, [at], 'TCP first');
  assert.deepEqual([...new Set(proxy.relayed)], [at]);
  assert.equal(near.utpDialer, null, 'others could not dial us there');
});

test('where the proxy refuses datagrams uTP fails as soon as that is known', async (t) => {
  await using proxy = await startTestProxy({ kind: 'socks5' });
  const lines: string[] = [];
  const refused = Promise.withResolvers<void>();
  const onNotice = (line: string): void => {
    lines.push(line);
    refused.resolve();
  };
  const egress = new Egress({ bindHost: null, proxy: proxy.address }, onNotice);
  const near = await open(t, egress, false);
  void hear(near, '127.0.0.1', 9);
  await refused.promise;
  await turn();
  assert.equal(await hear(near, '127.0.0.1', 9), ', the proxy carries no UDP');
  assert.equal(await hear(near, 'peer.test', 9), ', uTP needs an address');
  assert.equal(lines.length, 1);
});

test('a dial that is given up gives the tunnel up, and is closed once', async (t) => {
  const connected = Promise.withResolvers<void>();
  const hungUp = Promise.withResolvers<void>();
  await using silent = await startLiar(
    () => connected.resolve(),
    (socket) => socket.on('close', () => hungUp.resolve()),
  );
  const at = { host: '127.0.0.1', port: silent.port, user: '', password: '' };
  const egress = new Egress({ bindHost: null, proxy: { kind: 'socks5', ...at } }, () => {});
  const near = await open(t, egress);
  const reasons: string[] = [];
  const connection = near.dialer.connect('peer.test', 1, {
    onOpen: () => reasons.push('open'),
    onBytes: () => {},
    onDrain: () => {},
    onClosed: (reason) => reasons.push(reason),
  });
  await connected.promise;
  connection.close('it took too long');
  connection.close('again');
  await hungUp.promise;
  assert.deepEqual(reasons, ['it took too long']);
});
