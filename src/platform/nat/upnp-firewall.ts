/** A router's firewall for IPv6, opened by UPnP: WANIPv6FirewallControl:1 (of IGD 2). */
import { PlatformError } from '../platform-error.ts';
import {
  type Gateway,
  LIFETIME_SECONDS,
  type MapOptions,
  type MappedPort,
  type Origin,
  type PortWish,
} from './gateway.ts';
import { type Control, callService, readServices } from './upnp-service.ts';

/** Of the standard, 2.6: why a pinhole is refused; 702 says that nothing keeps anybody out. */
const FIREWALL_OFF = 702;
const REASONS: Readonly<Record<number, string>> = {
  606: 'it does not let us',
  701: 'it has no room for more',
  703: 'it lets nobody in',
};
/** How UPnP says no (UPnP Device Architecture 1.0, 2.5, "boolean"). */
const IS_NO = /^(?:0|false|no)$/i;
/** IANA's numbers, by which the service tells protocols apart. */
const NUMBER_OF = { tcp: 6, udp: 17 } as const;

/** The firewall of a router. */
export class UpnpFirewall implements Gateway {
  readonly method = 'UPnP';
  readonly externalHost: string;
  readonly #control: Control;
  /** What the router calls our pinholes; by wish. */
  readonly #ids = new Map<string, number>();
  readonly #isOff: boolean;

  private constructor(control: Control, isOff: boolean) {
    this.#control = control;
    this.#isOff = isOff;
    this.externalHost = control.from.localHost;
  }

  /** The firewall of the router described at `location`. Fails with PLATFORM_NAT. */
  static async open(location: URL, from: Origin, signal: AbortSignal): Promise<UpnpFirewall> {
    const { firewalls } = await readServices(location, from, signal);
    const [control] = firewalls;
    if (!control) throw refused('it has no IPv6 firewall that we may open');
    const status = await callService(control, { action: 'GetFirewallStatus', args: {}, signal });
    const said = (name: string): string => (status.ok ? (status.results.get(name) ?? '') : '');
    const isOff = IS_NO.test(said('FirewallEnabled'));
    // Who does not say how it is may open all the same.
    if (!isOff && IS_NO.test(said('InboundPinholeAllowed'))) throw refused('it lets nobody in');
    return new UpnpFirewall(control, isOff);
  }

  /** Null when there is nothing to open: the firewall is off. */
  async map(wish: PortWish, { signal }: MapOptions): Promise<MappedPort | null> {
    const opened = { ...wish, externalPort: wish.port, lifetimeSeconds: LIFETIME_SECONDS };
    if (this.#isOff) return null;
    if (await this.#renew(wish, signal)) return opened;
    // An empty host and port 0 stand for everybody outside (2.2.4 and 2.2.5 of the standard).
    const args = {
      RemoteHost: '',
      RemotePort: 0,
      InternalClient: this.#control.from.localHost,
      InternalPort: wish.port,
      Protocol: NUMBER_OF[wish.protocol],
      LeaseTime: LIFETIME_SECONDS,
    };
    const reply = await callService(this.#control, { action: 'AddPinhole', args, signal });
    if (!reply.ok && reply.errorCode === FIREWALL_OFF) return null;
    if (!reply.ok)
      throw refused(REASONS[reply.errorCode] ?? `it refuses (error ${reply.errorCode})`);
    const id = reply.results.get('UniqueID') ?? '';
    if (!/^\d{1,5}$/.test(id)) throw refused('it does not say what it has opened');
    this.#ids.set(keyOf(wish), Number(id));
    return opened;
  }

  async unmap(mapped: MappedPort, signal: AbortSignal): Promise<void> {
    const id = this.#ids.get(keyOf(mapped));
    if (id === undefined) return;
    this.#ids.delete(keyOf(mapped));
    await callService(this.#control, { action: 'DeletePinhole', args: { UniqueID: id }, signal });
  }

  /** False for a pinhole that we have not, or that the router has forgotten. */
  async #renew(wish: PortWish, signal: AbortSignal): Promise<boolean> {
    const id = this.#ids.get(keyOf(wish));
    if (id === undefined) return false;
    const args = { UniqueID: id, NewLeaseTime: LIFETIME_SECONDS };
    const reply = await callService(this.#control, { action: 'UpdatePinhole', args, signal });
    if (!reply.ok) this.#ids.delete(keyOf(wish));
    return reply.ok;
  }
}

function keyOf({ protocol, port }: PortWish): string {
  return `${protocol}:${port}`;
}

function refused(reason: string): PlatformError {
  return new PlatformError('PLATFORM_NAT', `UPnP: ${reason}`, { method: 'UPnP' });
}
