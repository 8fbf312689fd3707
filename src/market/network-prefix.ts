/** Which addresses count as one identity: a /24 of IPv4, a /48 of IPv6. */

/** The network a host is in, as a key. What is not an IP address is its own network. */
export function networkPrefix(host: string): string {
  const address = host.toLowerCase().split('%')[0] ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address;
  const v4 = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(mapped);
  if (v4) return `${v4[1]}.0/24`;
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/.test(address)) return address;
  return `${firstGroups(address).join(':')}::/48`;
}

/** The first three of the eight groups, without leading zeros, `::` filled in. */
function firstGroups(address: string): readonly string[] {
  const [head = '', tail = ''] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const isShort = address.includes('::');
  const zeros = isShort ? Math.max(0, 8 - before.length - after.length) : 0;
  const groups = [...before, ...new Array<string>(zeros).fill('0'), ...after];
  return [0, 1, 2].map((at) => (groups[at] ?? '0').replace(/^0+(?=.)/, ''));
}
