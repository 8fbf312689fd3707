/** A router that is asked by UPnP: an Internet Gateway Device of version 1 or 2. */
import { randomInt } from 'node:crypto';
import type { SoapReply } from '../../wire/index.ts';
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

/** Shown in the router's own list of mappings. */
const DESCRIPTION = 'Bidwidth';
/** Error codes of WANIPConnection: somebody has that port; only mappings without an end. */
const CONFLICT: readonly number[] = [718, 729];
const ONLY_PERMANENT = 725;
/** External ports tried when ours is taken, from the range that nobody needs rights for. */
const OTHER_PORTS_TRIED = 4;
const OTHER_PORT_MIN = 16_384;
const OTHER_PORT_MAX = 65_535;

/** One connection service of a router. */
export class UpnpGateway implements Gateway {
  readonly method = 'UPnP';
  readonly #control: Control;
  #externalHost: string | null;
  #isPermanentOnly = false;

  private constructor(control: Control, externalHost: string | null) {
    this.#control = control;
    this.#externalHost = externalHost;
  }

  /** The connected service of the router described at `location`. Fails with PLATFORM_NAT. */
  static async open(location: URL, from: Origin, signal: AbortSignal): Promise<UpnpGateway> {
    const { connections } = await readServices(location, from, signal);
    let usable: UpnpGateway | null = null;
    for (const control of connections) {
      const host = await externalHostOf(control, signal).catch(() => null);
      usable ??= new UpnpGateway(control, host);
      // Routers describe a service for each kind of line they could have: one has an address.
      if (host !== null) return new UpnpGateway(control, host);
    }
    if (usable) return usable;
    throw new PlatformError('PLATFORM_NAT', 'UPnP: it has no service that maps ports');
  }

  get externalHost(): string | null {
    return this.#externalHost;
  }

  async map(wish: PortWish, { externalPort, signal }: MapOptions): Promise<MappedPort> {
    let wanted = externalPort;
    for (let others = 0; ; ) {
      const reply = await this.#add(wish, wanted, signal);
      if (reply.ok) break;
      if (reply.errorCode === ONLY_PERMANENT && !this.#isPermanentOnly) {
        this.#isPermanentOnly = true;
      } else if (CONFLICT.includes(reply.errorCode) && others++ < OTHER_PORTS_TRIED) {
        wanted = randomInt(OTHER_PORT_MIN, OTHER_PORT_MAX + 1);
      } else {
        throw new PlatformError('PLATFORM_NAT', `UPnP: it refuses (error ${reply.errorCode})`);
      }
    }
    this.#externalHost = await externalHostOf(this.#control, signal).catch(() => null);
    const lifetimeSeconds = this.#isPermanentOnly ? Infinity : LIFETIME_SECONDS;
    return { ...wish, externalPort: wanted, lifetimeSeconds };
  }

  async unmap({ protocol, externalPort }: MappedPort, signal: AbortSignal): Promise<void> {
    const args = {
      NewRemoteHost: '',
      NewExternalPort: externalPort,
      NewProtocol: protocol.toUpperCase(),
    };
    await callService(this.#control, { action: 'DeletePortMapping', args, signal });
  }

  #add(
    { protocol, port }: PortWish,
    externalPort: number,
    signal: AbortSignal,
  ): Promise<SoapReply> {
    const args = {
      NewRemoteHost: '',
      NewExternalPort: externalPort,
      NewProtocol: protocol.toUpperCase(),
      NewInternalPort: port,
      NewInternalClient: this.#control.from.localHost,
      NewEnabled: 1,
      NewPortMappingDescription: DESCRIPTION,
      NewLeaseDuration: this.#isPermanentOnly ? 0 : LIFETIME_SECONDS,
    };
    return callService(this.#control, { action: 'AddPortMapping', args, signal });
  }
}

/** Null when the router has none, or will not say. */
async function externalHostOf(control: Control, signal: AbortSignal): Promise<string | null> {
  const reply = await callService(control, { action: 'GetExternalIPAddress', args: {}, signal });
  const host = reply.ok ? reply.results.get('NewExternalIPAddress') : undefined;
  return host === undefined || host === '' || host === '0.0.0.0' ? null : host;
}
