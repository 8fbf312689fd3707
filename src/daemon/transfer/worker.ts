/** Entry of the transfer thread: answers calls, passes news on. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { AppError, assert } from '../../units/index.ts';
import type { CallMessage, TransferMessage, TransferOptions } from './messages.ts';
import { TransferLoop } from './transfer-loop.ts';

assert(parentPort, 'worker.ts runs in a worker thread');
const port: MessagePort = parentPort;
const send = (message: TransferMessage): void => port.postMessage(message);

/** An expected failure as code and line; anything else is our own mistake and ends the thread. */
function describe(failure: unknown): { readonly code: string; readonly line: string } {
  if (!(failure instanceof AppError)) throw failure;
  return { code: failure.code, line: failure.message };
}

async function answer(loop: TransferLoop, call: CallMessage): Promise<void> {
  try {
    // The main thread's proxy has the same type as the loop; names and arguments are its own.
    const method = loop[call.name] as (...args: readonly unknown[]) => Promise<unknown>;
    send({ type: 'answer', id: call.id, value: await method.apply(loop, call.args as unknown[]) });
  } catch (failure) {
    send({ type: 'refusal', id: call.id, ...describe(failure) });
  }
}

try {
  const options = workerData as TransferOptions;
  const tell = (torrent: string, news: Parameters<typeof relay>[1]): void => relay(torrent, news);
  const loop = await TransferLoop.start(options, tell);
  port.on('message', (call: CallMessage) => void answer(loop, call));
  send({ type: 'ready', port: loop.port });
} catch (failure) {
  send({ type: 'broken', ...describe(failure) });
}

function relay(
  torrent: string,
  news: Extract<TransferMessage, { readonly type: 'news' }>['news'],
): void {
  send({ type: 'news', torrent, news });
}
