/** One JSON-RPC request over HTTP, with a limit on time and size. */

/** A question to a node. */
export interface RpcRequest {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** The node answered, with an error. `revertData` is what a contract reverted with, as hex. */
export class RpcAnswerError extends Error {
  override readonly name = 'RpcAnswerError';
  readonly rpcCode: number;
  readonly revertData: string | null;

  constructor(rpcCode: number, message: string, revertData: string | null) {
    super(message);
    this.rpcCode = rpcCode;
    this.revertData = revertData;
  }
}

/**
 * Largest answer read: a page of events is far smaller; a dump of the embedded chain may be not.
 */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** Longest text of a node that goes into one of our messages. */
const MESSAGE_LENGTH_MAX = 300;

/** The result of one request. Throws `RpcAnswerError`, or any error when there is no answer. */
export async function postJsonRpc(
  url: string,
  request: RpcRequest,
  timeoutMs: number,
): Promise<unknown> {
  const response = await send(url, request, timeoutMs);
  const length = Number(response.headers.get('content-length') ?? 0);
  if (length > ANSWER_BYTES_MAX) throw new Error(`answer of ${length} bytes is too long`);
  const text = await response.text();
  const answer = parseAnswer(text);
  if (answer === null) throw new Error(`HTTP ${response.status}, not JSON-RPC`);
  if (answer.error) throw answer.error;
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return answer.result;
}

/** Whether a node's error says that it, not the question, is the trouble: worth asking another. */
export function isChainBusy(error: RpcAnswerError): boolean {
  // -32005 is EIP-1474 "limit exceeded"; -32097 … -32090 are used by gateways for the same.
  if (error.rpcCode === -32005 || error.rpcCode === 429) return true;
  if (error.rpcCode <= -32090 && error.rpcCode >= -32099) return true;
  return /rate limit|too many requests|header not found|missing trie node/i.test(error.message);
}

async function send(url: string, request: RpcRequest, timeoutMs: number): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...request }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw new Error(explainNetworkError(error, timeoutMs), { cause: error });
  }
}

function explainNetworkError(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1_000} s`;
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause) return `cannot connect (${cause.code})`;
  return error.message;
}

interface Answer {
  readonly result: unknown;
  readonly error: RpcAnswerError | null;
}

function parseAnswer(text: string): Answer | null {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof answer !== 'object' || answer === null) return null;
  if ('error' in answer && answer.error) return { result: null, error: readError(answer.error) };
  return 'result' in answer ? { result: answer.result, error: null } : null;
}

function readError(error: unknown): RpcAnswerError {
  const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown };
  const plain = typeof message === 'string' ? message.slice(0, MESSAGE_LENGTH_MAX) : 'no reason';
  const revert = typeof data === 'string' && /^0x[0-9a-f]*$/i.test(data) ? data : null;
  return new RpcAnswerError(typeof code === 'number' ? code : 0, plain, revert);
}
