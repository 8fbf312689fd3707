/** How a host and a port are written: in URLs, in HTTP's `Host`, and for people. */

/** A host as it stands before a port: a literal IPv6 address in brackets (RFC 3986, 3.2.2). */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The reverse of `bracketed`: a host as it is dialled, of a URL's `hostname`. */
export function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** `host:port`. */
export function hostAndPort({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): string {
  return `${bracketed(host)}:${port}`;
}
