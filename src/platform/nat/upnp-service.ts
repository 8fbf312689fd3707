/** What a router's UPnP services have in common: it describes them, and they are called by SOAP. */
import { unbracketed } from '../../units/index.ts';
import {
  encodeSoapRequest,
  type IgdService,
  readIgdDescription,
  readSoapReply,
  type SoapReply,
} from '../../wire/index.ts';
import type { Origin } from './gateway.ts';
import { askGateway, gatewayUrl } from './gateway-http.ts';

/** A router's service, where it is called. */
export interface Control {
  readonly serviceType: string;
  readonly url: URL;
  readonly from: Origin;
}

/** What a router offers; both in its order, and perhaps empty. */
export interface RouterServices {
  /** Those that map ports. */
  readonly connections: readonly Control[];
  /** Those that open the firewall for IPv6. */
  readonly firewalls: readonly Control[];
}

/** A call of a service. */
export interface ServiceCall {
  readonly action: string;
  /** In the order of the standard, by which some routers go. */
  readonly args: Readonly<Record<string, string | number>>;
  readonly signal: AbortSignal;
}

/** The services of the router described at `location`. Fails with PLATFORM_NAT. */
export async function readServices(
  location: URL,
  from: Origin,
  signal: AbortSignal,
): Promise<RouterServices> {
  const document = await askGateway({ url: location, from, call: null, signal });
  const { urlBase, services, firewalls } = readIgdDescription(document);
  const controls = (list: readonly IgdService[]): Control[] =>
    list.flatMap(({ type, controlUrl }) => {
      const url = gatewayUrl(controlUrl, urlBase ?? location.href, unbracketed(location.hostname));
      return url ? [{ serviceType: type, url, from }] : [];
    });
  return { connections: controls(services), firewalls: controls(firewalls) };
}

/** What the service answers, perhaps a refusal. Fails with PLATFORM_NAT, or the wire's error. */
export async function callService(
  { serviceType, url, from }: Control,
  { action, args, signal }: ServiceCall,
): Promise<SoapReply> {
  const body = encodeSoapRequest({ serviceType, action, args });
  const soapAction = `${serviceType}#${action}`;
  const answer = await askGateway({ url, from, call: { soapAction, body }, signal });
  return readSoapReply(answer, action);
}
