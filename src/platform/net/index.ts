/** TCP connections for the engine. */
export { tcpDialer } from './tcp-dialer.ts';
export { type ListenOptions, listenTcp, type TcpListener } from './tcp-listener.ts';
