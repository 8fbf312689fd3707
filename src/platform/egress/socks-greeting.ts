/** SOCKS5 (RFC 1928, RFC 1929) by the `socks` package, over a connection that is there already. */
import { setImmediate as turn } from 'node:timers/promises';
import { SocksClient } from 'socks';
import { type Greeting, RefusedTarget, type TunnelEnd } from './greeting.ts';

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
