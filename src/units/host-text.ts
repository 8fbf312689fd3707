/** How a host and a port are written: in URLs, in HTTP's `Host`, and for people. */

/** A host as it stands before a port: a literal IPv6 address in brackets (RFC 3986, 3.2.2). */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
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
