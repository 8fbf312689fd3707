import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { DatagramRelay, RelayWaits } from './datagram-relay.ts';
import { Egress } from './egress.ts';
import type { ProxyAddress } from './proxy-address.ts';
import { startLiar, startTestProxy } from './testing/proxies.ts';

const WAITS: RelayWaits = { againMs: 20, againMsMax: 40, refusedMs: 60_000 };
const LOGIN = { user: 'me', password: 'hush' };

/** Answers every datagram with the same. */
async function startEcho(t: TestContext): Promise<number> {
  const socket = await bound(t);
  socket.on('message', (bytes, { address, port }) => socket.send(bytes, port, address));
  return socket.address().port;
}

async function bound(t: TestContext): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => socket.close());
  await once(socket, 'listening');
  return socket;
}

/** A relay, with what was heard by it and of it. */
class Ear {
  readonly heard: string[] = [];
  readonly lines: string[] = [];
  readonly relay: DatagramRelay;
  readonly egress: Egress;
  readonly refused: Promise<void>;
  #next = Promise.withResolvers<void>();

  constructor(t: TestContext, proxy: ProxyAddress, waits = WAITS) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.refused = promise;
    this.egress = new Egress({ bindHost: null, proxy }, (line) => this.lines.push(line));
    const onDatagram = (bytes: Uint8Array, host: string, port: number): void => {
      this.heard.push(`${Buffer.from(bytes)} from ${host}:${port}`);
      this.#next.resolve();
    };
    this.relay = this.egress.relay({ onDatagram, onRefused: resolve }, waits);
    t.after(() => this.relay.close());
  }

  /** Sends, and waits until something is heard. */
  async ask(text: string, host: string, port: number): Promise<string | undefined> {
    this.#next = Promise.withResolvers();
    this.relay.send(Buffer.from(text), host, port);
    await this.#next.promise;
    return this.heard.at(-1);
  }
}

test("datagrams go both ways, names are the proxy's to look up, and the user logs in", async (t) => {
  const port = await startEcho(t);
  const names = { 'echo.test': '127.0.0.1' };
  await using proxy = await startTestProxy({ kind: 'socks5', udp: {}, login: LOGIN, names });
  const ear = new Ear(t, proxy.address);
  assert.equal(await ear.ask('one', '127.0.0.1', port), `one from 127.0.0.1:${port}`);
  assert.equal(await ear.ask('two', 'echo.test', port), `two from 127.0.0.1:${port}`);
  assert.deepEqual(proxy.relayed, [`127.0.0.1:${port}`, `echo.test:${port}`]);
  assert.deepEqual([proxy.asked, ear.lines], [[], []]);
});

for (const saidHost of ['0.0.0.0', '::']) {
  test(`a relay at ${saidHost} is at the proxy's own address`, async (t) => {
    const port = await startEcho(t);
    await using proxy = await startTestProxy({ kind: 'socks5', udp: { saidHost } });
    const ear = new Ear(t, proxy.address);
    assert.equal(await ear.ask('hi', '127.0.0.1', port), `hi from 127.0.0.1:${port}`);
  });
}

test('a relay anywhere else is not sent to', async (t) => {
  const udp = { saidHost: '127.0.0.2' };
  await using proxy = await startTestProxy({ kind: 'socks5', udp });
  const ear = new Ear(t, proxy.address);
  ear.relay.send(Buffer.from('hi'), '127.0.0.1', 9);
  await ear.refused;
  assert.deepEqual(proxy.relayed, []);
  assert.match(`${ear.lines}`, /carries no UDP: it wants it sent to another address than its own/);
});

test('a proxy that refuses is told of once, in one line, and left alone; TCP goes on', async (t) => {
  await using proxy = await startTestProxy({ kind: 'socks5' });
  const ear = new Ear(t, proxy.address);
  ear.relay.send(Buffer.from('hi'), '127.0.0.1', 9);
  await ear.refused;
  assert.ok(ear.relay.isRefused && ear.relay.isDown);
  for (let nth = 0; nth < 3; nth++) ear.relay.send(Buffer.from('hi'), '127.0.0.1', 9);
  const other = Promise.withResolvers<void>();
  const second = ear.egress.relay({ onDatagram: () => {}, onRefused: () => other.resolve() });
  t.after(() => second.close());
  second.send(Buffer.from('hi'), '127.0.0.1', 9);
  await other.promise;
  const name = `the proxy at 127.0.0.1:${proxy.address.port}`;
  const off = 'uTP, the DHT and UDP trackers are off';
  assert.deepEqual(ear.lines, [`${name} carries no UDP: it refuses to; ${off}`]);
  assert.equal(ear.egress.isCutOff, false);
});

test('a proxy that carries datagrams after all is told of, too', async (t) => {
  const port = await startEcho(t);
  const refusing = await startTestProxy({ kind: 'socks5' });
  const ear = new Ear(t, refusing.address, { ...WAITS, refusedMs: 1 });
  ear.relay.send(Buffer.from('hi'), '127.0.0.1', port);
  await ear.refused;
  await refusing.close();
  const at = { kind: 'socks5', port: refusing.address.port } as const;
  await using _proxy = await startTestProxy({ ...at, udp: {} });
  while (ear.relay.isRefused) await delay(1);
  assert.equal(await ear.ask('now', '127.0.0.1', port), `now from 127.0.0.1:${port}`);
  assert.match(`${ear.lines.at(-1)}`, /carries UDP now$/);
});

test('when the connection ends the proxy is asked again, later each time', async (t) => {
  const port = await startEcho(t);
  await using proxy = await startTestProxy({ kind: 'socks5', udp: {} });
  const ear = new Ear(t, proxy.address);
  for (const text of ['one', 'two', 'three']) {
    assert.equal(await ear.ask(text, '127.0.0.1', port), `${text} from 127.0.0.1:${port}`);
    proxy.hangUp();
    while (!ear.relay.isDown) await delay(1);
  }
  const started = performance.now();
  await ear.ask('four', '127.0.0.1', port);
  assert.ok(performance.now() - started > 5, 'not at once');
  assert.deepEqual(ear.lines, []);
});

test('only the relay is heard: fragments, garbage and strangers are not', async (t) => {
  const inside = await bound(t);
  const stranger = await bound(t);
  await using liar = await startLiar((socket, heard) => {
    if (heard[1] === 1) socket.write(Uint8Array.of(5, 0));
    else {
      const { port } = inside.address();
      socket.write(Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff));
    }
  });
  const ear = new Ear(t, at(liar.port));
  const datagram = (fragment: number, text: string): Uint8Array =>
    Buffer.concat([Uint8Array.of(0, 0, fragment, 1, 127, 0, 0, 9, 0, 7), Buffer.from(text)]);
  inside.once('message', (_, { port }) => {
    stranger.send(datagram(0, 'from a stranger'), port, '127.0.0.1', () => {
      for (const bad of [datagram(1, 'part'), Buffer.from('x'), Buffer.alloc(0)]) {
        inside.send(bad, port, '127.0.0.1');
      }
      inside.send(datagram(0, 'right'), port, '127.0.0.1');
    });
  });
  assert.equal(await ear.ask('hi', '127.0.0.1', 7), 'right from 127.0.0.9:7');
  assert.deepEqual(ear.heard, ['right from 127.0.0.9:7']);
});

test('a proxy that hangs up at the question carries no UDP, one that is away is away', async (t) => {
  await using hangingUp = await startLiar((socket, heard) => {
    if (heard[1] === 1) socket.write(Uint8Array.of(5, 0));
    else socket.end();
  });
  const ear = new Ear(t, at(hangingUp.port));
  ear.relay.send(Buffer.from('hi'), '127.0.0.1', 9);
  await ear.refused;
  assert.match(`${ear.lines}`, /carries no UDP: it hangs up; uTP/);
  const gone = await startTestProxy({ kind: 'socks5' });
  await gone.close();
  const far = new Ear(t, gone.address);
  far.relay.send(Buffer.from('hi'), '127.0.0.1', 9);
  while (!far.egress.isCutOff) await delay(1);
  assert.match(`${far.lines}`, /is not there: nobody listens; nothing goes past it$/);
  assert.equal(far.relay.isRefused, false);
});

test('a wrong login is said as such', async (t) => {
  await using proxy = await startTestProxy({ kind: 'socks5', udp: {}, login: LOGIN });
  const ear = new Ear(t, { ...proxy.address, password: 'other' });
  ear.relay.send(Buffer.from('hi'), '127.0.0.1', 9);
  while (ear.lines.length === 0) await delay(1);
  assert.match(`${ear.lines}`, /does not accept the user and password; nothing goes past it$/);
});

test('what is closed while the proxy is being asked stays closed', async (t) => {
  await using proxy = await startTestProxy({ kind: 'socks5', udp: {} });
  const ear = new Ear(t, proxy.address);
  ear.relay.send(Buffer.from('hi'), '127.0.0.1', 9);
  ear.relay.close();
  ear.relay.close();
  ear.relay.send(Buffer.from('hi'), '127.0.0.1', 9);
  await delay(50);
  assert.deepEqual([proxy.relayed, ear.lines], [[], []]);
});

function at(port: number): ProxyAddress {
  return { kind: 'socks5', host: '127.0.0.1', port, user: '', password: '' };
}

test('while the bound address is away nothing is sent, and the proxy is not blamed', async (t) => {
  await using proxy = await startTestProxy({ kind: 'socks5', udp: {} });
  const lines: string[] = [];
  const options = { bindHost: '192.0.2.1', proxy: proxy.address };
  const egress = new Egress(options, (line) => lines.push(line));
  egress.look();
  const relay = egress.relay({ onDatagram: () => {} }, WAITS);
  t.after(() => relay.close());
  relay.send(Buffer.from('hi'), '127.0.0.1', 9);
  assert.ok(relay.isDown && !relay.isRefused);
  assert.deepEqual(lines, ['the address 192.0.2.1 is gone: nothing is sent until it is back']);
});
