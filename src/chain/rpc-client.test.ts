import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { ChainError, isChainError } from './chain-error.ts';
import { RpcClient } from './rpc-client.ts';

type Answer = { result: unknown } | { error: unknown } | 'hang' | 'garbage' | 'unavailable';

const servers: ReturnType<typeof createServer>[] = [];
after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** An endpoint that answers as told, and counts what it was asked. */
async function endpoint(chainId: number, answer: () => Answer = () => ({ result: '0x1' })) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method } = JSON.parse(body);
    asked.push(method);
    const given = method === 'eth_chainId' ? { result: `0x${chainId.toString(16)}` } : answer();
    if (given === 'hang') return;
    if (given === 'unavailable') response.statusCode = 503;
    response.end(typeof given === 'string' ? '<html>' : JSON.stringify({ id: 1, ...given }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, asked, server };
}

/** A port where nobody listens. */
async function deadUrl(): Promise<string> {
  const { url, server } = await endpoint(199);
  await new Promise((resolve) => server.close(resolve));
  return url;
}

test('the first endpoint that works answers', async () => {
  const good = await endpoint(199, () => ({ result: '0x2a' }));
  const client = new RpcClient({ urls: [await deadUrl(), good.url], chainId: 199 });
  assert.equal(await client.call('eth_blockNumber', []), '0x2a');
  const [first, second] = client.health();
  assert.equal(first?.state, 'failing');
  assert.match(first?.note ?? '', /ECONNREFUSED/);
  assert.equal(second?.state, 'good');
});

for (const trouble of ['garbage', 'unavailable', 'hang'] as const) {
  test(`an endpoint that answers with '${trouble}' is passed over`, async () => {
    const bad = await endpoint(199, () => trouble);
    const good = await endpoint(199, () => ({ result: '0x2a' }));
    const client = new RpcClient({ urls: [bad.url, good.url], chainId: 199, timeoutMs: 100 });
    assert.equal(await client.call('eth_blockNumber', []), '0x2a');
  });
}

test('an endpoint that refuses for being busy is passed over', async () => {
  const busy = await endpoint(199, () => ({ error: { code: -32005, message: 'limit exceeded' } }));
  const good = await endpoint(199, () => ({ result: '0x2a' }));
  const client = new RpcClient({ urls: [busy.url, good.url], chainId: 199 });
  assert.equal(await client.call('eth_blockNumber', []), '0x2a');
});

test('an endpoint of another chain is never asked anything but its chain', async () => {
  const liar = await endpoint(1);
  const good = await endpoint(199, () => ({ result: '0x2a' }));
  const client = new RpcClient({ urls: [liar.url, good.url], chainId: 199 });
  assert.equal(await client.call('eth_blockNumber', []), '0x2a');
  assert.equal(await client.call('eth_blockNumber', []), '0x2a');
  assert.deepEqual(liar.asked, ['eth_chainId']);
  assert.equal(client.health()[0]?.note, 'says it is chain 1, not 199: not used');
});

test('when every endpoint is of another chain, that is what is said', async () => {
  const liar = await endpoint(1);
  const client = new RpcClient({ urls: [liar.url], chainId: 199 });
  await assert.rejects(client.call('eth_blockNumber', []), {
    code: 'CHAIN_WRONG_ID',
    message:
      'every RPC endpoint is of another chain ' +
      `(chain 199; ${liar.host}: says it is chain 1, not 199: not used)`,
  });
});

test('when no endpoint answers, each is named with its trouble and without its path', async () => {
  const url = `${await deadUrl()}/v3/secret-api-key`;
  const client = new RpcClient({ urls: [url], chainId: 199 });
  await assert.rejects(client.call('eth_blockNumber', []), (error: unknown) => {
    assert.ok(isChainError(error, 'CHAIN_UNREACHABLE'));
    assert.ok(!error.message.includes('secret'));
    return /no RPC endpoint answers .*cannot connect \(ECONNREFUSED\)/.test(error.message);
  });
});

test("a node's error about the call itself is the answer: nobody else is asked", async () => {
  const reverting = await endpoint(199, () => ({
    error: { code: 3, message: 'execution reverted', data: '0xdeadbeef' },
  }));
  const other = await endpoint(199);
  const client = new RpcClient({ urls: [reverting.url, other.url], chainId: 199 });
  await assert.rejects(client.call('eth_call', []), (error: unknown) => {
    assert.ok(error instanceof ChainError);
    assert.equal(error.code, 'CHAIN_RPC');
    assert.equal(error.details['revertData'], '0xdeadbeef');
    return error.details['isUncertain'] === false;
  });
  assert.deepEqual(other.asked, []);
});

test('an endpoint that failed rests, comes back, and must tell its chain again', async () => {
  let now = 0;
  let isUp = false;
  const first = await endpoint(199, () => (isUp ? { result: '0x1' } : 'unavailable'));
  const second = await endpoint(199, () => ({ result: '0x2' }));
  const nowMs = () => now;
  const client = new RpcClient({ urls: [first.url, second.url], chainId: 199, nowMs });
  assert.equal(await client.call('eth_blockNumber', []), '0x2');
  isUp = true;
  assert.equal(await client.call('eth_blockNumber', []), '0x2', 'still resting');
  now = 1_000;
  assert.equal(await client.call('eth_blockNumber', []), '0x1');
  assert.equal(first.asked.filter((method) => method === 'eth_chainId').length, 2);
});
