/** Keccak-256 in WebAssembly. Two of them go into the digest of every voucher. */
import type { Keccak256 } from '../payment/index.ts';

/**
 * Keccak-256 that takes 0.9 µs for a voucher, where the payment layer's own takes 6. The package is
 * loaded by this call, not by importing this file.
 */
export async function loadKeccak256(): Promise<Keccak256> {
  const { createKeccak } = await import('hash-wasm');
  const hasher = await createKeccak(256);
  return (bytes) => {
    hasher.init();
    hasher.update(bytes);
    return hasher.digest('binary');
  };
}
