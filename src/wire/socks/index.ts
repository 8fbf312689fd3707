/** What goes between us and a SOCKS5 proxy once it carries datagrams. */
export { decodeSocksDatagram, encodeSocksDatagram, type SocksDatagram } from './socks-datagram.ts';
