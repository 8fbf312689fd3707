/** Whether a node is one that only this machine can reach. */

/** Whether listening on this address is listening to nobody outside; null stands for all. */
export function isLoopback(bindHost: string | null): boolean {
  return bindHost !== null && (bindHost.startsWith('127.') || bindHost === '::1');
}
