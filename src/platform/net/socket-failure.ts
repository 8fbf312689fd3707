/** What went wrong with a socket, in words. */

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the peer broke the connection',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the host name does not exist',
  EPIPE: 'the peer broke the connection',
  ETIMEDOUT: 'the host does not answer',
};

/** One plain phrase for the log. */
export function plainSocketFailure(failure: NodeJS.ErrnoException): string {
  return WORDS[failure.code ?? ''] ?? failure.message;
}

/** `::ffff:192.0.2.1`, as dual-stack sockets write IPv4, without its prefix. */
export function plainHost(host: string): string {
  return host.startsWith('::ffff:') && host.includes('.') ? host.slice(7) : host;
}
