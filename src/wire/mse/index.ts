/** Message Stream Encryption (also MSE, PE): hides what a connection is, both ends. */
export { type InitiatorOptions, MseInitiator } from './initiator.ts';
export {
  MSE_KEY_BYTES,
  MSE_PRIME_HEX,
  type MseCrypto,
  type MseKeyPair,
  torrentMark,
} from './keys.ts';
export { Rc4 } from './rc4.ts';
export { MseResponder, type ResponderOptions } from './responder.ts';
export type { MseMethod, MseProgress, MseSession } from './session.ts';
