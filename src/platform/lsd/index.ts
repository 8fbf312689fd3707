/**
 * The multicast sockets of local service discovery (BEP 14).
 *
 * @module
 */
export { LsdSockets, type LsdSocketsOptions } from './lsd-sockets.ts';
