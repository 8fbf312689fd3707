/** Waiting as commands do: for a signal, and for what does not keep the process alive itself. */

/** Any long time. */
const ALIVE_MS = 60_000;

/** Resolves when a signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

/** Does `work`, until whose end the process stays, though it may have nothing else to do. */
export async function whileAlive<Result>(work: () => Promise<Result>): Promise<Result> {
  const alive = setInterval(() => {}, ALIVE_MS);
  try {
    return await work();
  } finally {
    clearInterval(alive);
  }
}
