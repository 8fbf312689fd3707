/**
 * Keeps web pages out. A page can make its own name point to this machine (DNS rebinding), but the
 * browser then still writes that name into `Host`.
 */
import { bracketed } from '../../units/index.ts';

/** Names that always mean this machine. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/** A request's `Host`, the address it came in at, and the name the server was told to listen on. */
export interface Arrival {
  readonly host: string | undefined;
  readonly localAddress: string | undefined;
  readonly bindHost: string;
}

/** Whether `Host` is a loopback name, the address the request came in at, or our own name. */
export function isOwnHost({ host, localAddress, bindHost }: Arrival): boolean {
  const name = (host ?? '').replace(/:\d*$/, '').toLowerCase();
  if (LOOPBACK.test(name) || name === bracketed(bindHost).toLowerCase()) return true;
  return localAddress !== undefined && name === bracketed(localAddress.replace(/^::ffff:/, ''));
}
