/** How others reach us, for the screen and for programs. */
import type { PinholeReach, Reach } from '../../daemon/node/index.ts';
import { hostAndPort } from '../../units/index.ts';
import type { Facts } from '../output.ts';

type Ports = Extract<Reach, { readonly state: 'mapped' }>['ports'];

/** The facts of a `nat` event. */
export function reachFacts(reach: Reach): Facts {
  if (reach.state === 'refused') return { state: reach.state, reason: reach.reason };
  if (reach.state === 'none') return { state: reach.state };
  const { state, method, externalHost, ports } = reach;
  return { state, method, externalHost, ports: portFacts(ports) };
}

/** The facts of a `pinholes` event. */
export function pinholeFacts(reach: PinholeReach): Facts {
  if (reach.state !== 'open') return { ...reach };
  const places = reach.places.map(({ host, method, ports }) => ({
    host,
    method,
    ports: portFacts(ports),
  }));
  return { state: reach.state, places };
}

/** One line for people; null where there is nothing to say: no router, or none that answers. */
export function reachLine(reach: Reach): string | null {
  if (reach.state === 'none') return null;
  if (reach.state === 'refused') {
    return `the router opens no port for us (${reach.reason}): peers outside cannot call us`;
  }
  const { method, externalHost: host, ports } = reach;
  const port = portOf(ports);
  if (host === null) return `the router passes port ${port} on to us (${method})`;
  return `reached from outside at ${hostAndPort({ host, port })} (${method})`;
}

/** As `reachLine`, of the router's IPv6 firewall. */
export function pinholeLine(reach: PinholeReach): string | null {
  if (reach.state === 'none') return null;
  if (reach.state === 'refused') {
    const outcome = 'peers outside cannot call us over IPv6';
    return `the router's IPv6 firewall stays closed (${reach.reason}): ${outcome}`;
  }
  const methods = new Set(reach.places.map(({ method }) => method));
  const places = reach.places.map(({ host, ports }) => hostAndPort({ host, port: portOf(ports) }));
  return `reached from outside at ${places.join(', ')} (${[...methods].join(', ')})`;
}

/** The port that most peers dial. */
function portOf(ports: Ports): number {
  return (ports.find(({ protocol }) => protocol === 'tcp') ?? ports[0])?.externalPort ?? 0;
}

function portFacts(ports: Ports): readonly Facts[] {
  return ports.map(({ protocol, port, externalPort }) => ({ protocol, port, externalPort }));
}
