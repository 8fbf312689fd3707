/** How others reach us, for the screen and for programs. */
import { isIPv6 } from 'node:net';
import type { Reach } from '../../daemon/node/index.ts';
import type { Facts } from '../output.ts';

/** The facts of a `nat` event. */
export function reachFacts(reach: Reach): Facts {
  if (reach.state === 'refused') return { state: reach.state, reason: reach.reason };
  if (reach.state === 'none') return { state: reach.state };
  const { state, method, externalHost, ports } = reach;
  const mapped = ports.map(({ protocol, port, externalPort }) => ({
    protocol,
    port,
    externalPort,
  }));
  return { state, method, externalHost, ports: mapped };
}

/** One line for people; null where there is nothing to say: no router, or none that answers. */
export function reachLine(reach: Reach): string | null {
  if (reach.state === 'none') return null;
  if (reach.state === 'refused') {
    return `the router opens no port for us (${reach.reason}): peers outside cannot call us`;
  }
  const { method, externalHost: host, ports } = reach;
  const port = (ports.find(({ protocol }) => protocol === 'tcp') ?? ports[0])?.externalPort ?? 0;
  if (host === null) return `the router passes port ${port} on to us (${method})`;
  return `reached from outside at ${isIPv6(host) ? `[${host}]` : host}:${port} (${method})`;
}
