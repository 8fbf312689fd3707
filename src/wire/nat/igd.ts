/**
 * The Internet Gateway Device of UPnP: which services a router describes, and the SOAP calls of
 * those that map ports (WANIPConnection:1 and :2, WANPPPConnection:1) or open the firewall
 * (WANIPv6FirewallControl:1).
 */
import { decodeLatin1, encodeUtf8 } from '../bencode/utf8.ts';
import { WireError } from '../wire-error.ts';
import { readXml } from './xml.ts';

/** A service that lets peers in. */
export interface IgdService {
  /** Such as `urn:schemas-upnp-org:service:WANIPConnection:1`. */
  readonly type: string;
  /** Where it is called: a URL or a path, as the router wrote it. */
  readonly controlUrl: string;
}

/** What a router says of itself. */
export interface IgdDescription {
  /** What relative URLs are relative to; null for the description's own URL. */
  readonly urlBase: string | null;
  /** The services that map ports, in its order; perhaps none. */
  readonly services: readonly IgdService[];
  /** Those that open the firewall for IPv6, in its order. */
  readonly firewalls: readonly IgdService[];
}

/** A call of a service. Values are our own: nothing in them needs to be escaped. */
export interface SoapRequest {
  readonly serviceType: string;
  readonly action: string;
  readonly args: Readonly<Record<string, string | number>>;
}

/** What a call came to: what it returned, or UPnP's error code, -1 when the router gives none. */
export type SoapReply =
  | { readonly ok: true; readonly results: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly errorCode: number };

/** Beyond so many a description is not searched. */
const SERVICES_MAX = 8;
const URL_CHARS_MAX = 1024;
/** Elements of an answer that are kept, and the length of what they hold. */
const RESULTS_MAX = 32;
const RESULT_CHARS_MAX = 256;

const CONNECTION = /^urn:schemas-upnp-org:service:WAN(?:IP|PPP)Connection:[12]$/;
const FIREWALL = /^urn:schemas-upnp-org:service:WANIPv6FirewallControl:1$/;

/** Reads a device description. Throws WIRE_NAT when it is no XML. */
export function readIgdDescription(document: Uint8Array): IgdDescription {
  const services: IgdService[] = [];
  const firewalls: IgdService[] = [];
  let urlBase: string | null = null;
  let fields = new Map<string, string>();
  let name = '';
  for (const event of readXml(decodeLatin1(document))) {
    if (event.kind === 'text') {
      if (event.text.length > URL_CHARS_MAX) continue;
      if (name === 'URLBase') urlBase ??= event.text;
      if (!fields.has(name)) fields.set(name, event.text);
      continue;
    }
    name = event.kind === 'open' ? event.name : '';
    if (event.name !== 'service') continue;
    if (event.kind === 'close') {
      const type = fields.get('serviceType') ?? '';
      const controlUrl = fields.get('controlURL');
      const kind = CONNECTION.test(type) ? services : FIREWALL.test(type) ? firewalls : null;
      if (controlUrl !== undefined) kind?.push({ type, controlUrl });
      if (services.length + firewalls.length >= SERVICES_MAX) break;
    }
    fields = new Map();
  }
  return { urlBase, services, firewalls };
}

/** Writes a call's body. */
export function encodeSoapRequest({ serviceType, action, args }: SoapRequest): Uint8Array {
  const fields = Object.entries(args).map(([name, value]) => `<${name}>${value}</${name}>`);
  const envelope =
    '<?xml version="1.0"?>\r\n' +
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action} xmlns:u="${serviceType}">${fields.join('')}</u:${action}>` +
    '</s:Body></s:Envelope>\r\n';
  return encodeUtf8(envelope);
}

/** Reads a call's answer, with status 200 or 500. Throws WIRE_NAT for what is neither of both. */
export function readSoapReply(document: Uint8Array, action: string): SoapReply {
  const results = new Map<string, string>();
  let name = '';
  let isAnswer = false;
  let isFault = false;
  for (const event of readXml(decodeLatin1(document))) {
    if (event.kind !== 'text') {
      name = event.kind === 'open' ? event.name : '';
      if (name === `${action}Response`) isAnswer = true;
      if (name === 'Fault') isFault = true;
    } else if (results.size < RESULTS_MAX && !results.has(name)) {
      results.set(name, event.text.slice(0, RESULT_CHARS_MAX));
    }
  }
  if (isFault) return { ok: false, errorCode: readCode(results.get('errorCode')) };
  if (isAnswer) return { ok: true, results };
  throw new WireError('WIRE_NAT', `the router answered ${action} with something else`);
}

function readCode(text: string | undefined): number {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : -1;
}
