/** uTP is dialled by addresses: names are looked up before. */
import { isIP } from 'node:net';
import type { Dialer } from '../../engine/index.ts';
import type { Egress } from '../egress/index.ts';
import { PendingConnection } from './pending-connection.ts';

/** Lets `dialer` be given names, too; they are looked up by the way out. */
export function namedDialer(dialer: Dialer, egress: Egress): Dialer {
  return {
    connect: (host, port, events) => {
      if (isIP(host) > 0) return dialer.connect(host, port, events);
      const pending = new PendingConnection({ host, port }, events, () => {});
      const noName = (): void => pending.fail('the host name does not exist');
      egress.resolve(host).then((found) => {
        const address = found?.[0];
        if (address === undefined) noName();
        else if (!pending.isClosed) pending.found(dialer.connect(address, port, events));
      }, noName);
      return pending;
    },
  };
}
