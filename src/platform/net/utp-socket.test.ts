import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { Connection, ConnectionEvents } from '../../engine/index.ts';
import { fromHex } from '../../units/index.ts';
import { MSE_PRIME_HEX } from '../../wire/index.ts';
import { Egress } from '../egress/index.ts';
import { nodeMseCrypto } from './mse-crypto.ts';
import { PeerNetwork } from './peer-network.ts';
import { UdpPort } from './udp-port.ts';

const LOOPBACK = new Egress({ bindHost: '127.0.0.1' }, () => {});

/** Answers whatever comes with the same, and keeps what the test sends for. */
class Echo implements ConnectionEvents {
  readonly connection: Connection;
  constructor(connection: Connection) {
    this.connection = connection;
  }
  onOpen(): void {}
  onBytes(view: Uint8Array): void {
    this.connection.write([view.slice()]);
  }
  onDrain(): void {}
  onClosed(): void {}
}

async function open(
  t: TestContext,
  which: { useTcp: boolean; useUtp: boolean; bindHost?: string },
): Promise<PeerNetwork> {
  const { bindHost = '127.0.0.1' } = which;
  const network = await PeerNetwork.open(
    { port: 0, ...which, egress: new Egress({ bindHost }, () => {}), ipList: null },
    (one) => new Echo(one),
  );
  t.after(() => network.close());
  return network;
}

/** Sends bytes and waits until as many came back. */
function exchange(network: PeerNetwork, to: PeerNetwork, host = '127.0.0.1'): Promise<Buffer> {
  const bytes = nodeMseCrypto.randomBytes(300_000);
  const chunks: Uint8Array[] = [];
  let received = 0;
  return new Promise((resolve, reject) => {
    const connection = network.dialer.connect(host, to.port, {
      onOpen: () => connection.write([bytes]),
      onDrain: () => {},
      onClosed: (reason) => reject(new Error(reason)),
      onBytes: (view) => {
        chunks.push(view.slice());
        received += view.length;
        if (received < bytes.length) return;
        assert.ok(Buffer.concat(chunks).equals(bytes));
        connection.close('done');
        resolve(Buffer.concat(chunks));
      },
    });
  });
}

test('bytes go both ways over uTP alone, by address and by name', async (t) => {
  const near = await open(t, { useTcp: false, useUtp: true });
  const far = await open(t, { useTcp: false, useUtp: true });
  await exchange(near, far);
  await exchange(near, far, 'localhost').catch((failure: Error) => {
    // Where the name stands for ::1, nobody is there.
    assert.match(failure.message, /does not answer/);
  });
});

test('a node with both reaches one that has only one of them', async (t) => {
  const both = await open(t, { useTcp: true, useUtp: true });
  const utp = await open(t, { useTcp: false, useUtp: true });
  const tcp = await open(t, { useTcp: true, useUtp: false });
  await exchange(both, utp);
  await exchange(both, tcp);
  await exchange(utp, both);
  await exchange(tcp, both);
});

test('what is not uTP goes to whom it belongs, and does no harm', async (t) => {
  const port = await UdpPort.open({ port: 0, egress: LOOPBACK });
  t.after(() => port.close());
  const taken: string[] = [];
  let wake = (): void => {};
  port.listen(
    (bytes) => bytes[0] === 'd'.charCodeAt(0),
    (bytes, host) => {
      taken.push(`${Buffer.from(bytes)} from ${host}`);
      wake();
    },
  );
  const stranger = createSocket('udp4');
  t.after(() => stranger.close());
  const came = new Promise<void>((resolve) => {
    wake = resolve;
  });
  for (const text of ['nobody takes this', '', 'd1:y1:qe'])
    stranger.send(text, port.port, '127.0.0.1');
  await came;
  assert.deepEqual(taken, ['d1:y1:qe from 127.0.0.1']);
});

test('where the number is taken for UDP, another is used for dialling out', async (t) => {
  const squatter = createSocket('udp4');
  t.after(() => squatter.close());
  squatter.bind(0, '127.0.0.1');
  await once(squatter, 'listening');
  const port = await UdpPort.open({ port: squatter.address().port, egress: LOOPBACK });
  t.after(() => port.close());
  assert.notEqual(port.port, squatter.address().port);
});

test('two ends arrive at the same secret, and refuse keys that are none', () => {
  for (let round = 0; round < 50; round++) {
    const [a, b] = [nodeMseCrypto.newKeyPair(), nodeMseCrypto.newKeyPair()];
    assert.equal(a.publicKey.length, 96);
    assert.deepEqual(a.secretWith(b.publicKey), b.secretWith(a.publicKey));
  }
  const prime = BigInt(`0x${MSE_PRIME_HEX}`);
  for (const bad of [0n, 1n, prime - 1n, prime, prime + 1n]) {
    const key = fromHex(bad.toString(16).padStart(192, '0'));
    assert.equal(nodeMseCrypto.newKeyPair().secretWith(key), null, `${bad}`);
  }
});
