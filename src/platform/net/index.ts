/** Connections for the engine. */
export { nodeMseCrypto } from './mse-crypto.ts';
export { tcpDialer } from './tcp-dialer.ts';
export { type ListenOptions, listenTcp, type TcpListener } from './tcp-listener.ts';
