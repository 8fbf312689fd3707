/** HTTP by the ways out: agents of `undici` that connect to what was checked, and nowhere else. */
import { once } from 'node:events';
import net, { type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { PlatformError } from '../platform-error.ts';
import type { Egress } from './egress.ts';
import type { TunnelEnd } from './greeting.ts';

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
  // Said, because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn off what is left to the default.
  const secure = buildConnector({ timeout: connectMs, rejectUnauthorized: true });
  const connect: buildConnector.connector = (to, callback) => {
    const isSecure = to.protocol === 'https:';
    const port = to.port === '' ? (isSecure ? 443 : 80) : Number(to.port);
    const signal = AbortSignal.timeout(connectMs);
    const found = egress.hasProxy
      ? egress.tunnel({ host: target.addresses[0] ?? '', port }, signal)
      : straight(egress, { host: to.hostname, port, lookup: pinned(target) }, signal);
    found.then(
      ({ socket, head }) => {
        if (head.length > 0) socket.unshift(head);
        if (isSecure) secure({ ...to, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (failure: Error) => callback(failure, null),
    );
  };
  return new Agent({ connect, maxResponseSize });
}

/** Without a proxy: a connection from the bound address, if there is one. */
async function straight(
  egress: Egress,
  to: net.TcpNetConnectOpts,
  signal: AbortSignal,
): Promise<TunnelEnd> {
  const { refusal, direct } = egress;
  if (refusal !== null) throw new PlatformError('PLATFORM_BIND', refusal);
  const { localAddress } = direct;
  const bound = localAddress === undefined ? {} : { localAddress };
  const socket = net.connect({ ...to, ...bound, noDelay: true, keepAlive: true });
  egress.keep(socket);
  const onLate = (): void => {
    socket.destroy(Object.assign(new Error('it did not answer'), { code: 'ETIMEDOUT' }));
  };
  signal.addEventListener('abort', onLate, { once: true });
  await once(socket, 'connect');
  signal.removeEventListener('abort', onLate);
  return { socket, head: new Uint8Array(0) };
}

/** A lookup that answers only with addresses already checked. */
function pinned({ addresses, family }: WebTarget): LookupFunction {
  const all = addresses.filter((address) => net.isIP(address) !== 0);
  return (_hostname, options, callback) => {
    if (options.all === true)
      callback(
        null,
        all.map((address) => ({ address, family })),
      );
    else callback(null, all[0] ?? '', family);
  };
}
