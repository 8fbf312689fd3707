import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Chain } from '../chain.ts';
import { ChainError, isChainError } from '../chain-error.ts';
import { LOCAL_CHAIN_ID } from '../networks.ts';
import { tryHostLock, writeHostRecord } from './host-record.ts';
import { throughTakeover } from './takeover.ts';

const folder = mkdtempSync(join(tmpdir(), 'bidwidth-takeover-'));
const opened: Chain[] = [];
after(async () => {
  for (const chain of opened) await chain.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A host that says which chain it is, and dies at the next question. */
async function dyingHost(): Promise<Server> {
  const lock = tryHostLock(folder);
  assert.ok(lock);
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { id, method } = JSON.parse(body) as { id: number; method: string };
      if (method === 'eth_chainId') {
        response.end(
          JSON.stringify({ jsonrpc: '2.0', id, result: `0x${LOCAL_CHAIN_ID.toString(16)}` }),
        );
        return;
      }
      lock.release();
      server.close();
      server.closeAllConnections();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const rpcUrl = `http://127.0.0.1:${port}`;
  writeHostRecord(folder, { rpcUrl, rpcPort: port, hostPid: 0, anvilPid: 0, anvilPort: 0 });
  return server;
}

async function start(): Promise<Chain> {
  const chain = await Chain.open({ network: { name: 'local' }, localFolder: folder });
  try {
    await chain.requireEscrow();
    return chain;
  } catch (error) {
    await chain.close();
    throw error;
  }
}

test('a start during which the host dies goes through with the next host', async () => {
  await dyingHost();
  await assert.rejects(start(), (error) => isChainError(error, 'CHAIN_UNREACHABLE'));
  await dyingHost();
  const chain = await throughTakeover({ name: 'local' }, start);
  opened.push(chain);
  assert.equal(chain.local?.isHost, true);
});

test('on a network of others the first failure is told at once', async () => {
  let attempts = 0;
  const work = (): Promise<never> => {
    attempts++;
    return Promise.reject(new ChainError('CHAIN_UNREACHABLE', 'no RPC endpoint answers'));
  };
  await assert.rejects(throughTakeover({ name: 'bttc' }, work), { code: 'CHAIN_UNREACHABLE' });
  assert.equal(attempts, 1);
});

test('what waiting does not mend is told at once', async () => {
  let attempts = 0;
  const work = (): Promise<never> => {
    attempts++;
    return Promise.reject(new ChainError('CHAIN_NO_CONTRACT', 'there is none'));
  };
  await assert.rejects(throughTakeover({ name: 'local' }, work), { code: 'CHAIN_NO_CONTRACT' });
  assert.equal(attempts, 1);
});
