/** Connections for the engine. */

export { systemRandom } from '../system-random.ts';
export { nodeMseCrypto } from './mse-crypto.ts';
export { PeerNetwork, type PeerNetworkOptions } from './peer-network.ts';
export { plainHost } from './socket-failure.ts';
export { tcpDialer } from './tcp-dialer.ts';
export { type ListenOptions, listenTcp, type TcpListener } from './tcp-listener.ts';
