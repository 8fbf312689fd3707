/** Which addresses may be in the DHT, and which of them count as one: against Sybils (BEP 42). */
import { toHex } from '../../units/index.ts';
import { type Endpoint, isSecureNodeId, type NodeContact, parseIp } from '../../wire/index.ts';
import { classifyAddress } from '../address-class.ts';

/** A contact with what the rules say about its address. */
export interface JudgedContact {
  readonly contact: NodeContact;
  /** Who shares it is taken for one party: a /24, or a /48 of IPv6. */
  readonly prefix: string;
  /** On the local network, where ids are not bound to addresses and many may share one (BEP 42). */
  readonly isLocal: boolean;
  /** Its id is one that its address may have (BEP 42). True on the local network. */
  readonly isSecure: boolean;
}

/** The part of an address that stands for one party: a /24 of IPv4, a /48 of IPv6. */
export function prefixOf(host: string): string {
  if (!host.includes(':')) return host.slice(0, host.lastIndexOf('.'));
  const address = parseIp(host);
  return address ? toHex(address.subarray(0, 6)) : host;
}

/** One string per address and port. */
export function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

/** Whether an address is on this machine or its network. */
export function isLocalHost(host: string): boolean {
  return classifyAddress(host) === 'local';
}

/**
 * Judges a contact; null when nobody can be there.
 *
 * Local addresses are believed only from somebody on the local network (`isTellerLocal`): else a
 * stranger could make us send packets to the services of this machine and its neighbours.
 */
export function judgeContact(contact: NodeContact, isTellerLocal: boolean): JudgedContact | null {
  const address = classifyAddress(contact.host);
  if (address === 'unusable' || (address === 'local' && !isTellerLocal)) return null;
  const isLocal = address === 'local';
  const ip = parseIp(contact.host);
  const isSecure = isLocal || (ip !== null && isSecureNodeId(contact.id, ip));
  return { contact, prefix: prefixOf(contact.host), isLocal, isSecure };
}

/** Whether a peer somebody told us of may be connected to. */
export function isPeerUsable(peer: Endpoint, isTellerLocal: boolean): boolean {
  const address = classifyAddress(peer.host);
  return address === 'public' || (address === 'local' && isTellerLocal);
}
