/**
 * Money in the simulator: purses and books in memory, and clients of a swarm that trade.
 *
 * Signatures say whose they are instead of being made: what is simulated is who owes what to whom,
 * not secp256k1. Start with `trader.ts`.
 *
 * @module
 */
export {
  account,
  identityOf,
  laneOffer,
  MemoryBook,
  MemoryPurse,
  SIGNER,
  signatureOf,
  signerOf,
} from './memory-money.ts';
export { addTrader, type Trader } from './trader.ts';
