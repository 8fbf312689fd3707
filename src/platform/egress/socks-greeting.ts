/** SOCKS5 (RFC 1928, RFC 1929) by the `socks` package, over a connection that is there already. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { SocksClient } from 'socks';
import { type Greeting, type HostPort, RefusedTarget, type TunnelEnd } from './greeting.ts';
import type { ProxyAddress } from './proxy-address.ts';

/** Replies about one destination (RFC 1928, section 6), as the package names them. */
const REFUSALS: Readonly<Record<string, string>> = {
  Failure: 'does not get through to it',
  NotAllowed: 'is not allowed to connect to it',
  NetworkUnreachable: 'cannot reach its network',
  HostUnreachable: 'cannot reach it',
  ConnectionRefused: 'says that nobody listens there',
  TTLExpired: 'cannot reach it',
  AddressNotSupported: 'cannot reach addresses of this kind',
};

/** Asks for a connection; names go as they are. Messages of errors begin with the proxy. */
export async function greetSocks({ proxy, to, socket }: Greeting): Promise<TunnelEnd> {
  const { host, port, user, password } = proxy;
  try {
    await SocksClient.createConnection({
      command: 'connect',
      proxy: { type: 5, host, port, userId: user, password },
      destination: to,
      existing_socket: socket,
    });
  } catch (failure) {
    throw inWords(failure instanceof Error ? failure.message : '', user !== '');
  }
  // What came after the reply is put out as an event in the turn that follows.
  const chunks: Uint8Array[] = [];
  const keep = (chunk: Uint8Array): void => void chunks.push(chunk);
  socket.on('data', keep);
  await turn();
  socket.pause();
  socket.off('data', keep);
  return { socket, head: Buffer.concat(chunks) };
}

/**
 * Asks for datagrams to be relayed while this connection is open. Says where to send them, as the
 * proxy says it: the host may be empty or unspecified, which means its own. Fails with
 * `RefusedTarget` for whatever the proxy does then, but for what concerns the login.
 */
export async function askSocksForUdp(proxy: ProxyAddress, socket: Socket): Promise<HostPort> {
  const { host, port, user, password } = proxy;
  const client = new SocksClient({
    command: 'associate',
    proxy: { type: 5, host, port, userId: user, password },
    // From where we shall send is the proxy's to see: there may be routers between us.
    destination: { host: '0.0.0.0', port: 0 },
  });
  try {
    const answered = once(client, 'established');
    client.connect(socket);
    const [{ remoteHost }] = (await answered) as [{ readonly remoteHost?: Partial<HostPort> }];
    return { host: remoteHost?.host ?? '', port: remoteHost?.port ?? 0 };
  } catch (failure) {
    const text = failure instanceof Error ? failure.message : '';
    const reason = inWords(text, user !== '').message;
    if (reason === WRONG_LOGIN || reason === LOGIN_WANTED) throw new Error(reason);
    // Some hang up, or answer what is none, when they do not know the command.
    throw new RefusedTarget(/rejected connection/.test(text) ? 'refuses to' : reason);
  } finally {
    client.removeAllListeners();
  }
}

/** The package tells failures apart by their text alone. */
function inWords(text: string, hasLogin: boolean): Error {
  const [, reply] = /rejected connection - (\w+)$/.exec(text) ?? [];
  if (reply !== undefined) {
    const refusal = REFUSALS[reply];
    return refusal === undefined ? new Error(NO_SOCKS) : new RefusedTarget(refusal);
  }
  if (/Authentication failed/.test(text)) return new Error(WRONG_LOGIN);
  if (/no accepted auth/.test(text)) return new Error(hasLogin ? WRONG_LOGIN : LOGIN_WANTED);
  if (/^Socket closed$/.test(text)) return new Error('hangs up');
  return new Error(/Socks|internal error/i.test(text) ? NO_SOCKS : text);
}

const NO_SOCKS = 'does not speak SOCKS5';
const WRONG_LOGIN = 'does not accept the user and password';
const LOGIN_WANTED = 'wants a user and a password';
