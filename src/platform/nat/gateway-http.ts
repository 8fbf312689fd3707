/**
 * HTTP as it is spoken to a router. What answers may be anybody in our network: so no redirects, no
 * other host than the one that answered, an end in time, and a bound on what is read.
 */
import { request } from 'node:http';
import { unbracketed } from '../../units/index.ts';
import { PlatformError } from '../platform-error.ts';
import type { Origin } from './gateway.ts';
import { isLinkLocal } from './route.ts';

/** A request. */
export interface GatewayRequest {
  readonly url: URL;
  readonly from: Origin;
  /** A SOAP call; null only fetches. */
  readonly call: { readonly soapAction: string; readonly body: Uint8Array } | null;
  readonly signal: AbortSignal;
}

/** Descriptions have 5 to 30 KiB. */
const BODY_BYTES_MAX = 256 * 1024;
/** From the first byte sent to the last one read. */
const ANSWER_MS = 4_000;

/**
 * The URL that a router wrote, where it may be asked: an `http` one on exactly the host that
 * answered us. Null for all others (SSRF by an SSDP `Location` or a control URL). Zones are not
 * compared, URLs have none: `askGateway` goes to that of our own link.
 */
export function gatewayUrl(text: string, base: string | null, host: string): URL | null {
  const url = URL.parse(text, base ?? undefined);
  if (url?.protocol !== 'http:' || unbracketed(url.hostname) !== host.split('%', 1)[0]) return null;
  return url.username === '' && url.password === '' ? url : null;
}

/** What a router answers: status 200 or, as SOAP's faults have, 500. Fails with PLATFORM_NAT. */
export function askGateway(wanted: GatewayRequest): Promise<Uint8Array> {
  const { url, from, call } = wanted;
  const host = unbracketed(url.hostname);
  const zone = isLinkLocal(host) ? `%${from.zone}` : '';
  const signal = AbortSignal.any([wanted.signal, AbortSignal.timeout(ANSWER_MS)]);
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      reject(new PlatformError('PLATFORM_NAT', `UPnP: ${reason}`, { host: url.hostname }));
    };
    const headers = call && {
      'content-type': 'text/xml; charset="utf-8"',
      'content-length': call.body.length,
      soapaction: `"${call.soapAction}"`,
    };
    const asking = request(url, {
      method: call ? 'POST' : 'GET',
      headers: { ...headers, host: url.host, connection: 'close' },
      agent: false,
      // Where connections go to; names are never asked for, `url` has a literal address.
      hostname: `${host}${zone}`,
      localAddress: from.localHost,
      signal,
    });
    asking.on('error', () => fail(signal.aborted ? 'it does not answer' : 'it cannot be reached'));
    // Also after an answer that takes the connection over, which is no answer to us.
    asking.on('close', () => fail('it broke off'));
    asking.on('response', (answer) => {
      if (answer.statusCode !== 200 && !(call && answer.statusCode === 500)) {
        asking.destroy();
        return fail(`it answers with status ${answer.statusCode}`);
      }
      const parts: Uint8Array[] = [];
      let length = 0;
      answer.on('data', (part: Uint8Array) => {
        length += part.length;
        parts.push(part);
        if (length <= BODY_BYTES_MAX) return;
        asking.destroy();
        fail('its answer is too long');
      });
      answer.on('error', () => fail('it broke off'));
      answer.on('end', () => resolve(new Uint8Array(Buffer.concat(parts))));
    });
    asking.end(call?.body);
  });
}
