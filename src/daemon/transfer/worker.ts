/**
 * Entry of the transfer thread: answers calls, passes news on. Everything else is imported after
 * the compile cache is on, which each thread must do for itself: 40 instead of 160 ms of loading.
 */
import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError, assert } from '../../units/index.ts';
import type { CallMessage, TransferMessage, TransferOptions } from './messages.ts';
import type { TransferLoop } from './transfer-loop.ts';

assert(parentPort, 'worker.ts runs in a worker thread');
const port = parentPort;
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

const cache = process.env['NODE_COMPILE_CACHE'];
if (cache !== undefined) enableCompileCache(cache);
const module = await import('./transfer-loop.ts');
try {
  const options = workerData as TransferOptions;
  const loop = await module.TransferLoop.start(
    options,
    (torrent, news) => send({ type: 'news', torrent, news }),
    (line) => send({ type: 'notice', line }),
  );
  port.on('message', (call: CallMessage) => void answer(loop, call));
  send({ type: 'ready', port: loop.port });
} catch (failure) {
  send({ type: 'broken', ...describe(failure) });
}
