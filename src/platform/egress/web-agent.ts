/** HTTP by the ways out: agents of `undici` that connect to what was checked, and nowhere else. */
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { PlatformError } from '../platform-error.ts';
import type { Egress } from './egress.ts';

/** Where a host may be reached: it is not looked up again. */
export interface WebTarget {
  readonly family: 4 | 6;
  /** Literal addresses; or one name, which a proxy looks up. */
  readonly addresses: readonly string[];
}

/** Bounds of an agent. */
export interface WebAgentOptions {
  /** For connecting, with everything that belongs to it. */
  readonly connectMs: number;
  /** Bytes of a body; left out, any number. */
  readonly maxResponseSize?: number;
}

/** An agent for one origin. `destroy` it at the end. */
export function webAgent(egress: Egress, target: WebTarget, options: WebAgentOptions): Dispatcher {
  const { connectMs, maxResponseSize = -1 } = options;
  if (egress.hasProxy) {
    return new Agent({ connect: tunnelConnector(egress, target, connectMs), maxResponseSize });
  }
  const { localAddress = null } = egress.direct;
  const straight = buildConnector({ timeout: connectMs, lookup: pinned(target) });
  const connect: buildConnector.connector = (to, callback) => {
    const { refusal } = egress;
    if (refusal === null) straight({ ...to, localAddress }, callback);
    else callback(new PlatformError('PLATFORM_BIND', refusal), null);
  };
  return new Agent({ connect, maxResponseSize });
}

function tunnelConnector(
  egress: Egress,
  { addresses: [host = ''] }: WebTarget,
  connectMs: number,
): buildConnector.connector {
  const secure = buildConnector({ timeout: connectMs });
  return (to, callback) => {
    const isSecure = to.protocol === 'https:';
    const port = to.port === '' ? (isSecure ? 443 : 80) : Number(to.port);
    egress.tunnel({ host, port }, AbortSignal.timeout(connectMs)).then(
      ({ socket, head }) => {
        if (head.length > 0) socket.unshift(head);
        if (isSecure) secure({ ...to, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (failure: Error) => callback(failure, null),
    );
  };
}

/** A lookup that answers only with addresses already checked. */
function pinned({ addresses, family }: WebTarget): LookupFunction {
  const all = addresses.filter((address) => isIP(address) !== 0);
  return (_hostname, options, callback) => {
    if (options.all === true)
      callback(
        null,
        all.map((address) => ({ address, family })),
      );
    else callback(null, all[0] ?? '', family);
  };
}
