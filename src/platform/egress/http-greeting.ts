/** The CONNECT method of HTTP (RFC 9110, section 9.3.6), over a connection to the proxy. */
import { request } from 'node:http';
import { hostAndPort } from '../../units/index.ts';
import { type Greeting, RefusedTarget, type TunnelEnd } from './greeting.ts';

/** Log in first. 407 is right; tinyproxy says 401 when the login was wrong. */
const LOGIN_ANSWERS: ReadonlySet<number> = new Set([401, 407]);

/** Asks for a connection; names go as they are. Messages of errors begin with the proxy. */
export function greetHttp({ proxy, to, socket }: Greeting): Promise<TunnelEnd> {
  const { user, password } = proxy;
  const authority = hostAndPort(to);
  const login = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const hasLogin = user !== '' || password !== '';
  const asked = request({
    method: 'CONNECT',
    path: authority,
    createConnection: () => socket,
    setHost: false,
    headers: { host: authority, ...(hasLogin ? { 'proxy-authorization': login } : {}) },
  });
  return new Promise((resolve, reject) => {
    asked.once('connect', ({ statusCode = 0 }, _socket, head) => {
      socket.pause();
      if (statusCode >= 200 && statusCode < 300) resolve({ socket, head });
      else if (!LOGIN_ANSWERS.has(statusCode))
        reject(new RefusedTarget(`answers HTTP ${statusCode}`));
      else if (hasLogin) reject(new Error('does not accept the user and password'));
      else reject(new Error('wants a user and a password'));
    });
    asked.once('error', (failure: NodeJS.ErrnoException) => {
      const isGarbage = failure.code?.startsWith('HPE_') === true;
      reject(isGarbage ? new Error('does not speak HTTP') : failure);
    });
    asked.end();
  });
}
