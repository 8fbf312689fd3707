import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { PlatformError } from '../platform-error.ts';
import { Egress } from './egress.ts';
import type { TunnelEnd } from './greeting.ts';
import type { ProxyAddress } from './proxy-address.ts';
import { startLiar, startTestProxy, type TestProxyOptions } from './testing/proxies.ts';

const KINDS = ['socks5', 'http'] as const;
const LOGIN = { user: 'me', password: 'se:cr@t' };

/** A server that says what it hears. */
async function startEcho(t: TestContext): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/** A way out through a proxy, and what it told. */
function through(proxy: ProxyAddress): { egress: Egress; lines: string[] } {
  const lines: string[] = [];
  return { egress: new Egress({ bindHost: null, proxy }, (line) => lines.push(line)), lines };
}

function never(): AbortSignal {
  return new AbortController().signal;
}

async function echoed({ socket, head }: TunnelEnd, text: string): Promise<string> {
  let heard = Buffer.from(head).toString();
  socket.on('data', (bytes) => {
    heard += bytes.toString();
  });
  socket.resume();
  socket.write(text);
  while (heard.length < text.length) await once(socket, 'data');
  socket.destroy();
  return heard;
}

/** Fails to be tunnelled: code and message of the failure. */
async function failure(proxy: ProxyAddress, host = 'host.test'): Promise<PlatformError> {
  const { egress } = through(proxy);
  const error = await egress.tunnel({ host, port: 1 }, never()).catch((reason) => reason);
  assert.ok(error instanceof PlatformError, inspect(error));
  return error;
}

for (const kind of KINDS) {
  test(`${kind}: bytes go both ways, and the name is the proxy's to look up`, async (t) => {
    const port = await startEcho(t);
    const options: TestProxyOptions = { kind, names: { 'echo.test': '127.0.0.1' } };
    await using proxy = await startTestProxy(options);
    const { egress } = through(proxy.address);
    const end = await egress.tunnel({ host: 'echo.test', port }, never());
    assert.equal(await echoed(end, 'hello'), 'hello');
    assert.equal(await egress.resolve('echo.test'), null);
    assert.deepEqual(proxy.asked, [`echo.test:${port}`]);
  });

  test(`${kind}: the user logs in, and a wrong password is said without it`, async (t) => {
    const port = await startEcho(t);
    await using proxy = await startTestProxy({ kind, login: LOGIN });
    const { egress } = through(proxy.address);
    const end = await egress.tunnel({ host: '127.0.0.1', port }, never());
    assert.equal(await echoed(end, 'hi'), 'hi');
    const wrong = await failure({ ...proxy.address, password: 'other-secret' });
    assert.equal(wrong.code, 'PLATFORM_PROXY');
    assert.match(wrong.message, /does not accept the user and password$/);
    // As whole as a debugger would show it, causes and all.
    assert.doesNotMatch(inspect(wrong, { depth: 9, showHidden: true }), /other-secret/);
    const none = await failure({ ...proxy.address, user: '', password: '' });
    assert.match(none.message, /wants a user and a password$/);
  });

  test(`${kind}: a place that cannot be reached is no failure of the proxy`, async () => {
    await using proxy = await startTestProxy({ kind });
    const { egress, lines } = through(proxy.address);
    const asked = egress.tunnel({ host: 'nowhere.test', port: 1 }, never());
    await assert.rejects(asked, { code: 'PLATFORM_PROXY_TARGET' });
    assert.deepEqual(lines, []);
  });

  test(`${kind}: an IPv6 address and a long name are asked for as they are`, async () => {
    await using proxy = await startTestProxy({ kind });
    const name = `${'a'.repeat(63)}.${'b'.repeat(63)}.test`;
    await failure(proxy.address, '::1');
    await failure(proxy.address, name);
    const tooLong = await failure(proxy.address, 'x'.repeat(254));
    assert.equal(tooLong.code, 'PLATFORM_PROXY_TARGET');
    assert.equal((await failure(proxy.address, 'a\r\nb')).code, 'PLATFORM_PROXY_TARGET');
    assert.deepEqual(proxy.asked, ['::1:1', `${name}:1`]);
  });

  test(`${kind}: a proxy that is away is told once, and once when it is back`, async (t) => {
    const port = await startEcho(t);
    const before = await startTestProxy({ kind });
    await before.close();
    const { egress, lines } = through(before.address);
    for (let nth = 0; nth < 3; nth++) {
      const asked = egress.tunnel({ host: 'a.test', port }, never());
      await assert.rejects(asked, { code: 'PLATFORM_PROXY' });
    }
    const name = `the proxy at 127.0.0.1:${before.address.port}`;
    assert.deepEqual(lines, [`${name} is not there: nobody listens; nothing goes past it`]);
    assert.equal(egress.isCutOff, true);
    const back = await startTestProxy({ kind, port: before.address.port });
    for (let nth = 0; nth < 2; nth++) {
      const { socket } = await egress.tunnel({ host: '127.0.0.1', port }, never());
      socket.destroy();
    }
    assert.deepEqual(lines.slice(1), [`${name} works again`]);
    assert.equal(egress.isCutOff, false);
    await back.close();
    const again = egress.tunnel({ host: 'a.test', port }, never());
    await assert.rejects(again, { code: 'PLATFORM_PROXY' });
    assert.equal(lines.length, 2, 'what comes and goes is not told each time');
  });

  test(`${kind}: a proxy that keeps silent is waited for no longer than the caller does`, async () => {
    await using liar = await startLiar(() => {});
    const { egress, lines } = through(at(kind, liar.port));
    const asked = egress.tunnel({ host: 'a.test', port: 1 }, AbortSignal.timeout(50));
    await assert.rejects(asked, { code: 'PLATFORM_PROXY' });
    assert.deepEqual(lines, [], 'whoever hung up first has nothing to tell');
  });

  test(`${kind}: a proxy that drips is given up with all the others`, async () => {
    const answer = kind === 'http' ? Buffer.from('HTTP/1.1 200 OK\r\nX: ') : Uint8Array.of(5, 0, 5);
    await using liar = await startLiar((socket) => {
      socket.write(answer);
      const drip = setInterval(() => socket.write(kind === 'http' ? 'x' : ''), 5);
      socket.once('close', () => clearInterval(drip));
    });
    const { egress } = through(at(kind, liar.port));
    const asked = egress.tunnel({ host: 'a.test', port: 1 }, AbortSignal.timeout(60));
    await assert.rejects(asked, { code: 'PLATFORM_PROXY' });
  });

  test(`${kind}: a proxy that hangs up in the middle is said so`, async () => {
    await using liar = await startLiar((socket) => socket.end(Uint8Array.of(5)));
    assert.equal((await failure(at(kind, liar.port))).code, 'PLATFORM_PROXY');
  });

  test(`${kind}: endless and random answers fail, and nothing else happens`, async () => {
    let answer: Uint8Array = new Uint8Array(0);
    await using liar = await startLiar((socket) => socket.end(answer));
    const endless = new Uint8Array(300_000).fill(kind === 'http' ? 0x41 : 7);
    const likely = fc.uint8Array({ maxLength: 40 }).map((bytes) => {
      const start = kind === 'http' ? Buffer.from('HTTP/1.1 5') : Uint8Array.of(5);
      return Buffer.concat([start, bytes]);
    });
    const answers = [endless, ...fc.sample(fc.uint8Array({ maxLength: 40 }), 60)];
    for (answer of [...answers, ...fc.sample(likely, 60)]) await failure(at(kind, liar.port));
  });
}

test('what the other side says first is not lost', async () => {
  const consent = Uint8Array.of(5, 0, 0, 1, 1, 2, 3, 4, 0, 9);
  await using socks = await startLiar((socket, heard) => {
    socket.write(heard[1] === 1 && heard.length > 3 ? withHello(consent) : Uint8Array.of(5, 0));
  });
  await using http = await startLiar((socket) =>
    socket.write(withHello(Buffer.from('HTTP/1.0 200 OK\r\nVia: x\r\n\r\n'))),
  );
  for (const proxy of [at('socks5', socks.port), at('http', http.port)]) {
    const end = await through(proxy).egress.tunnel({ host: 'a.test', port: 1 }, never());
    assert.equal(Buffer.from(end.head).toString(), 'hello', proxy.kind);
    end.socket.destroy();
  }
});

test('garbage after the consent of SOCKS is a connection with garbage, no crash', async () => {
  await using liar = await startLiar((socket, heard) => {
    if (heard.length === 3) socket.write(Uint8Array.of(5, 0));
    else socket.end(Uint8Array.of(5, 0, 0, 9, 9, 9, 9, 9, 9, 9));
  });
  const end = await through(at('socks5', liar.port)).egress.tunnel(
    { host: 'a.test', port: 1 },
    never(),
  );
  end.socket.destroy();
});

function withHello(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.from('hello')]);
}

function at(kind: ProxyAddress['kind'], port: number): ProxyAddress {
  return { kind, host: '127.0.0.1', port, user: '', password: '' };
}
