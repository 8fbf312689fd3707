import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Agent, type Dispatcher, MockAgent } from 'undici';
import { Egress } from '../egress/index.ts';
import { startTestProxy } from '../egress/testing/proxies.ts';
import { RangeClient, type RangeClientOptions } from './range-client.ts';
import { WebSeedError } from './web-seed-error.ts';

const FILE = Uint8Array.from({ length: 1000 }, (_, at) => at % 251);

/** A server that answers what the test wants; its port. */
async function serve(t: TestContext, answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Bytes 10 to 29 of the file. */
async function ask(
  t: TestContext,
  url: string,
  options: Partial<RangeClientOptions> = {},
): Promise<{ readonly isWhole: boolean; readonly bytes: Uint8Array }> {
  const client = new RangeClient({ userAgent: 'test', resolve: async () => [], ...options });
  t.after(() => client.close());
  const range = { url, position: 10, length: 20, fileBytes: FILE.length };
  const { isWhole, body } = await client.get(range, AbortSignal.timeout(5_000));
  return { isWhole, bytes: new Uint8Array(await body.arrayBuffer()) };
}

const sendPart: RequestListener = (_request, response) => {
  response.writeHead(206, { 'content-range': 'bytes 10-29/1000' }).end(FILE.subarray(10, 30));
};

function because(pattern: RegExp, code = 'WEB_SEED_FAILED'): (error: unknown) => boolean {
  return (error) =>
    error instanceof WebSeedError && error.code === code && pattern.test(error.message);
}

/** Whatever public server is meant, its connections end on this machine. */
function publicAgent(): Agent {
  const address = { address: '127.0.0.1', family: 4 };
  return new Agent({ connect: { lookup: (_host, _options, done) => done(null, [address]) } });
}

test('a range is asked for in its own words, and log-in data go in a header', async (t) => {
  const asked: IncomingMessage[] = [];
  const port = await serve(t, (request, response) => {
    asked.push(request);
    sendPart(request, response as never);
  });
  const { isWhole, bytes } = await ask(t, `http://me:se%40cret@127.0.0.1:${port}/f`);
  assert.equal(isWhole, false);
  assert.deepEqual(bytes, FILE.slice(10, 30));
  assert.equal(asked[0]?.headers.range, 'bytes=10-29');
  assert.equal(asked[0]?.headers.authorization, `Basic ${btoa('me:se@cret')}`);
  assert.equal(asked[0]?.url, '/f');
});

test('a server that ignores ranges is known by its answer', async (t) => {
  const port = await serve(t, (_request, response) => response.end(FILE));
  const { isWhole, bytes } = await ask(t, `http://127.0.0.1:${port}/f`);
  assert.equal(isWhole, true);
  assert.equal(bytes.length, FILE.length);
});

test('every answer that is not the range asked for is refused with its reason', async (t) => {
  const cases: readonly (readonly [number, Record<string, string>, RegExp])[] = [
    [404, {}, /does not have the file/],
    [416, {}, /shorter file/],
    [503, {}, /HTTP 503/],
    [206, {}, /without saying which/],
    [206, { 'content-range': 'bytes 0-19/1000' }, /another part/],
    [206, { 'content-range': 'bytes 10-29/999' }, /999 bytes, not 1000/],
    [200, { 'content-length': '3' }, /3 bytes, not 1000/],
    [206, { 'content-range': 'bytes 10-29/1000', 'content-encoding': 'gzip' }, /compresses/],
  ];
  for (const [status, headers, reason] of cases) {
    const port = await serve(t, (_request, response) =>
      response.writeHead(status, headers).end('abc'),
    );
    await assert.rejects(ask(t, `http://127.0.0.1:${port}/f`), because(reason));
  }
});

test('redirects are followed without log-in data for others, and not for ever', async (t) => {
  const asked: IncomingMessage[] = [];
  const there = await serve(t, (request, response) => {
    asked.push(request);
    sendPart(request, response as never);
  });
  const here = await serve(t, (_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${there}/moved` }).end();
  });
  const { bytes } = await ask(t, `http://me:secret@127.0.0.1:${here}/f`);
  assert.deepEqual(bytes, FILE.slice(10, 30));
  assert.equal(asked[0]?.headers.authorization, undefined);
  const circle = await serve(t, (_request, response) => {
    response.writeHead(302, { location: '/again' }).end();
  });
  await assert.rejects(ask(t, `http://127.0.0.1:${circle}/f`), because(/more than 5 times/));
});

test('a public name that redirects to this machine is not followed', async (t) => {
  let wasAsked = false;
  const inside = await serve(t, (_request, response) => {
    wasAsked = true;
    response.end();
  });
  const outside = await serve(t, (_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${inside}/secret` }).end();
  });
  const options = { resolve: async () => ['93.184.216.34'], agentFor: publicAgent };
  const asked = ask(t, `http://public.example:${outside}/f`, options);
  await assert.rejects(asked, because(/into the local network/, 'WEB_SEED_FORBIDDEN'));
  assert.equal(wasAsked, false);
});

test('a server asked by https does not send us on to plain http', async (t) => {
  let wasAsked = false;
  const plain = await serve(t, (request, response) => {
    wasAsked = true;
    sendPart(request, response as never);
  });
  const location = `http://127.0.0.1:${plain}/f`;
  const sender = new MockAgent().get('https://127.0.0.1');
  sender.intercept({ path: '/f' }).reply(302, '', { headers: { location } });
  const agents = [sender, new Agent()];
  const agentFor = (): Dispatcher => agents.shift() ?? assert.fail();
  const asked = ask(t, 'https://127.0.0.1/f', { agentFor });
  await assert.rejects(asked, because(/from https to plain http/, 'WEB_SEED_FORBIDDEN'));
  assert.equal(wasAsked, false);
});

test('a server that sends us to something that is not a web server is not heard', async (t) => {
  for (const location of ['file:///etc/passwd', 'ftp://127.0.0.1/f', 'udp://127.0.0.1:1', '//[']) {
    const port = await serve(t, (_request, response) => {
      response.writeHead(302, { location }).end();
    });
    const asked = ask(t, `http://127.0.0.1:${port}/f`);
    await assert.rejects(asked, because(/not a web URL/, 'WEB_SEED_FORBIDDEN'));
  }
});

test('connections are kept to eight servers; the ninth has those of all closed', async (t) => {
  const port = await serve(t, sendPart);
  const agents: Agent[] = [];
  const agentFor = (): Agent => {
    const agent = publicAgent();
    agents.push(agent);
    return agent;
  };
  const resolve = async (): Promise<string[]> => ['93.184.216.34'];
  const client = new RangeClient({ userAgent: 'test', resolve, agentFor });
  t.after(() => client.close());
  const destroyed = async (nth: number): Promise<number> => {
    const url = `http://s${nth}.example:${port}/f`;
    const range = { url, position: 10, length: 20, fileBytes: FILE.length };
    await (await client.get(range, AbortSignal.timeout(5_000))).body.dump();
    return agents.filter((agent) => agent.destroyed).length;
  };
  for (let nth = 1; nth <= 8; nth++) assert.equal(await destroyed(nth), 0);
  assert.deepEqual([await destroyed(9), agents.length], [8, 9]);
});

test('a server reached before is judged again for who sends us there, and for a query', async (t) => {
  let askedCount = 0;
  const inside = await serve(t, (request, response) => {
    askedCount++;
    sendPart(request, response as never);
  });
  const location = `http://127.0.0.1:${inside}/secret`;
  const outside = await serve(t, (_request, response) => {
    response.writeHead(302, { location }).end();
  });
  const options = { resolve: async () => ['93.184.216.34'], agentFor: publicAgent };
  const client = new RangeClient({ userAgent: 'test', ...options });
  t.after(() => client.close());
  const get = async (url: string): Promise<void> => {
    const range = { url, position: 10, length: 20, fileBytes: FILE.length };
    await (await client.get(range, AbortSignal.timeout(5_000))).body.dump();
  };
  await get(`http://127.0.0.1:${inside}/f`);
  for (const [url, reason] of [
    [`http://public.example:${outside}/f`, /into the local network/],
    [`${location}?off=1`, /must have no query/],
  ] as const) {
    await assert.rejects(get(url), because(reason, 'WEB_SEED_FORBIDDEN'));
  }
  assert.equal(askedCount, 1);
});

test('a name that stands for an address nobody can have is not asked', async (t) => {
  const asked = ask(t, 'http://nowhere.example/f', { resolve: async () => ['0.0.0.0'] });
  await assert.rejects(asked, because(/cannot be a server's/, 'WEB_SEED_FORBIDDEN'));
});

test('through a proxy names are its business, and literal addresses are judged as ever', async (t) => {
  const port = await serve(t, sendPart);
  const names = { 'seed.test': '127.0.0.1' };
  await using proxy = await startTestProxy({ kind: 'socks5', names });
  const egress = new Egress({ bindHost: null, proxy: proxy.address }, () => {});
  const options = { egress, resolve: (host: string) => egress.resolve(host) };
  const { bytes } = await ask(t, `http://seed.test:${port}/f?key=1`, options);
  assert.deepEqual(bytes, FILE.slice(10, 30));
  for (const host of ['127.0.0.1', '127.1', 'localhost', '10.0.0.1']) {
    const asked = ask(t, `http://${host}:${port}/f?off=1`, options);
    await assert.rejects(asked, because(/must have no query/, 'WEB_SEED_FORBIDDEN'));
  }
  assert.deepEqual(proxy.asked, [`seed.test:${port}`]);
});

test('requests leave from the bound address', async (t) => {
  const from: (string | undefined)[] = [];
  const port = await serve(t, (request, response) => {
    from.push(request.socket.remoteAddress);
    sendPart(request, response as never);
  });
  const egress = new Egress({ bindHost: '127.0.0.7' }, () => {});
  await ask(t, `http://127.0.0.1:${port}/f`, { egress });
  assert.deepEqual(from, ['127.0.0.7']);
});
