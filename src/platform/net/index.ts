/** TCP connections for the engine. */
export { IpGate, readIpList, watchIpList } from './ip-gate.ts';
export { tcpDialer } from './tcp-dialer.ts';
export { type ListenOptions, listenTcp, type TcpListener } from './tcp-listener.ts';
