/** Outgoing connections. */
import net from 'node:net';
import type { Connection, ConnectionEvents, Dialer } from '../../engine/index.ts';
import { DIRECT, type Egress, type TunnelEnd } from '../egress/index.ts';
import { adoptSocket } from './adopt-socket.ts';
import { PendingConnection, type Remote } from './pending-connection.ts';
import { TcpConnection } from './tcp-connection.ts';

/** Dials over TCP, by the user's way out. */
export function tcpDialer(egress: Egress = DIRECT): Dialer {
  return {
    connect: (host, port, events) => {
      if (egress.hasProxy || egress.refusal !== null) return tunnel(egress, { host, port }, events);
      const connection = new TcpConnection({ host, port }, true);
      const onread = connection.readOptions();
      const socket = net.connect({ host, port, noDelay: true, onread, ...egress.direct });
      egress.keep(socket);
      connection.attach(socket, events);
      return connection;
    },
  };
}

/** Through a proxy; after its consent the connection is like any other. */
function tunnel(egress: Egress, remote: Remote, events: ConnectionEvents): Connection {
  const controller = new AbortController();
  const pending = new PendingConnection(remote, events, () => controller.abort());
  const { refusal } = egress;
  if (refusal !== null) {
    pending.fail(refusal);
    return pending;
  }
  egress.tunnel(remote, controller.signal).then(
    (end) => {
      if (pending.isClosed) end.socket.destroy();
      else begin({ egress, pending, events }, end);
    },
    (failure: Error) => pending.fail(failure.message),
  );
  return pending;
}

interface Begun {
  readonly egress: Egress;
  readonly pending: PendingConnection;
  readonly events: ConnectionEvents;
}

function begin({ egress, pending, events }: Begun, { socket, head }: TunnelEnd): void {
  const connection = new TcpConnection(
    { host: pending.remoteHost, port: pending.remotePort },
    true,
  );
  const adopted = adoptSocket(socket, connection);
  egress.keep(adopted);
  connection.attach(adopted, events);
  pending.found(connection);
  events.onOpen();
  if (head.length > 0 && !adopted.destroyed) events.onBytes(head.slice());
  adopted.resume();
}
