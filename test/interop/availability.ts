/** Skips what cannot run here, or fails it where everything must run. */
import type { TestContext } from 'node:test';
import type { TorrentClient } from './clients/torrent-client.ts';

/** Set to `required` by continuous integration: a missing client is then a failure, no skip. */
const ENVIRONMENT_NAME = 'BIDWIDTH_INTEROP';

/** True when all `clients` can run; else skips the test with the reason, or throws if required. */
export function canRun(test: TestContext, clients: readonly TorrentClient[]): boolean {
  return canGoOn(
    test,
    clients.flatMap((client) => client.unavailable() ?? []),
  );
}

/** True without `reasons` against it; else as `canRun`. */
export function canGoOn(test: TestContext, reasons: readonly string[]): boolean {
  if (reasons.length === 0) return true;
  const reason = [...new Set(reasons)].join('; ');
  if (process.env[ENVIRONMENT_NAME] === 'required') throw new Error(reason);
  test.skip(reason);
  return false;
}
