/**
 * The embedded chain's own JSON-RPC port, in front of anvil. A call that changes the chain is
 * answered only when its effect is on the disk: what was answered survives `kill -9` of anvil and
 * of us.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ChainError } from '../chain-error.ts';
import { postJsonRpc, RpcAnswerError } from '../rpc-transport.ts';

/** What stands behind the port. */
export interface ProxyBackend {
  /** Where anvil listens now; resolves once it is up again after a crash. */
  anvilUrl(): Promise<string>;
  /** Resolves when everything anvil has done so far is on the disk. */
  durable(): Promise<void>;
}

/** A listening proxy. */
export interface LocalProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** What other processes may do besides reading: pay, get play money, let time pass. */
const CHANGING_METHODS: ReadonlySet<string> = new Set([
  'eth_sendRawTransaction',
  'anvil_addBalance',
  'evm_increaseTime',
  'evm_mine',
]);

const READING_METHODS = /^(eth|net|web3)_(?!send|sign|account)[A-Za-z]+$/;

const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
const CALLS_MAX = 1_000;
const ANVIL_TIMEOUT_MS = 30_000;

/** Two seconds in all: anvil is up again in a tenth of a second. */
const READ_ATTEMPTS_MAX = 20;
const READ_RETRY_MS = 100;

/** A transaction whose nonce is too high is not mined: then a second is lost, and no more. */
const MINED_LOOKS_MAX = 200;
const MINED_LOOK_MS = 5;

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Wallets look after their claims every minute, on the same connection. */
const KEEP_ALIVE_MS = 120_000;

/** Listens on loopback, on `wantedPort` if it is free, else on one of the kernel's choice. */
export async function startLocalProxy(
  backend: ProxyBackend,
  wantedPort: number,
): Promise<LocalProxy> {
  const proxy = new ProxyHandler(backend);
  const server = createServer((request, response) => void proxy.serve(request, response));
  // Callers are told, and close first: a busy one would otherwise send on a connection that we are
  // just closing, and take the chain for gone.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = (await listen(server, wantedPort)) ?? (await listen(server, 0));
  if (port === null) throw new ChainError('CHAIN_LOCAL', 'no free port for the local chain');
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class ProxyHandler {
  readonly #backend: ProxyBackend;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(backend: ProxyBackend) {
    this.#backend = backend;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (!isLocalProgram(request)) return reply(response, 403, { error: 'local programs only' });
      const body: unknown = JSON.parse(await readBody(request));
      if (!Array.isArray(body)) return reply(response, 200, await this.#answer(body));
      const calls: readonly unknown[] = body.slice(0, CALLS_MAX);
      reply(response, 200, await Promise.all(calls.map((call) => this.#answer(call))));
    } catch {
      reply(response, 400, { error: 'not a JSON-RPC request' });
    }
  }

  async #answer(body: unknown): Promise<unknown> {
    const call = readCall(body);
    const answer = { jsonrpc: '2.0', id: call?.id ?? null };
    if (call === null) return { ...answer, error: { code: -32600, message: 'invalid request' } };
    try {
      return { ...answer, result: await this.#perform(call) };
    } catch (error) {
      return { ...answer, error: rpcErrorOf(error) };
    }
  }

  async #perform(call: Call): Promise<unknown> {
    if (!CHANGING_METHODS.has(call.method)) return this.#read(call);
    // One at a time: anvil strands transactions of an account that arrive out of order.
    const forwarded = this.#turn.then(async () => {
      const url = await this.#backend.anvilUrl();
      return { url, result: await this.#forward(call) };
    });
    this.#turn = forwarded.catch(() => undefined);
    const { url, result } = await forwarded;
    if (call.method === 'eth_sendRawTransaction') await this.#untilMined(result);
    await this.#backend.durable();
    // Another anvil was dumped, which may know nothing of this call.
    if ((await this.#backend.anvilUrl()) !== url) throw new Error('it ended before it was written');
    return result;
  }

  /** anvil answers before the block is made, and a dump in between knows nothing of it. */
  async #untilMined(hash: unknown): Promise<void> {
    const call: Call = { id: null, method: 'eth_getTransactionReceipt', params: [hash] };
    for (let look = 0; look < MINED_LOOKS_MAX; look++) {
      if ((await this.#forward(call)) !== null) return;
      await new Promise((resolve) => setTimeout(resolve, MINED_LOOK_MS));
    }
  }

  /** A question is asked again while anvil is being started again after a crash. */
  async #read(call: Call): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#forward(call);
      } catch (error) {
        if (error instanceof RpcAnswerError || attempt >= READ_ATTEMPTS_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, READ_RETRY_MS));
      }
    }
  }

  async #forward({ method, params }: Call): Promise<unknown> {
    if (!CHANGING_METHODS.has(method) && !READING_METHODS.test(method)) {
      throw new RpcAnswerError(-32601, `the local chain has no method ${method}`, null);
    }
    return postJsonRpc(await this.#backend.anvilUrl(), { method, params }, ANVIL_TIMEOUT_MS);
  }
}

/** Keeps web pages out: a browser names the page in Origin, or a foreign name in Host. */
function isLocalProgram(request: IncomingMessage): boolean {
  const host = request.headers.host ?? '';
  const isLoopback = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
  return isLoopback && request.headers.origin === undefined && request.method === 'POST';
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > REQUEST_BYTES_MAX) throw new Error('request too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function readCall(body: unknown): Call | null {
  if (typeof body !== 'object' || body === null) return null;
  const { id, method, params } = body as { id?: unknown; method?: unknown; params?: unknown };
  if (typeof method !== 'string') return null;
  return { id, method, params: Array.isArray(params) ? params : [] };
}

function rpcErrorOf(error: unknown): { code: number; message: string; data?: string } {
  if (error instanceof RpcAnswerError) {
    const { rpcCode, message, revertData } = error;
    return { code: rpcCode, message, ...(revertData === null ? {} : { data: revertData }) };
  }
  // -32005 makes the asking side try again later: anvil ended before the effect was on the disk.
  const message = error instanceof Error ? error.message : String(error);
  return { code: -32005, message: `the local chain is restarting: ${message}` };
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function listen(server: Server, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const failed = () => resolve(null);
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : null);
    });
  });
}
