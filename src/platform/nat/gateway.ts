/**
 * What every way of mapping ports has in common: PCP, NAT-PMP and UPnP fill this in. Over IPv6 a
 * mapping is a hole in the firewall: the port outside is our own.
 */
import type { MapProtocol } from '../../wire/index.ts';

/** A port of ours that the internet is to reach. */
export interface PortWish {
  readonly protocol: MapProtocol;
  readonly port: number;
}

/** A port that the internet reaches. */
export interface MappedPort extends PortWish {
  /** At the router; perhaps another than ours. */
  readonly externalPort: number;
  /** The router forgets it then, if it is not asked again; `Infinity` for never. */
  readonly lifetimeSeconds: number;
}

/** How a port is asked for. */
export interface MapOptions {
  /** The external port we would like: what we were given before, or our own. */
  readonly externalPort: number;
  readonly signal: AbortSignal;
}

/** By which protocol a router is spoken to. */
export type GatewayMethod = 'PCP' | 'NAT-PMP' | 'UPnP';

/** A router that maps ports. A refusal is thrown as PLATFORM_NAT. */
export interface Gateway {
  readonly method: GatewayMethod;
  /** Its address on the internet, as it says; null while it has not said one. Unproven. */
  readonly externalHost: string | null;
  /** Maps a port, or keeps it mapped; null when nobody answers in this protocol. */
  map(wish: PortWish, options: MapOptions): Promise<MappedPort | null>;
  unmap(mapped: MappedPort, signal: AbortSignal): Promise<void>;
}

/** From where a router is spoken to. */
export interface Origin {
  /** Our own address on the way out; it decides the family of all others. */
  readonly localHost: string;
  /** IPv6: the interface, as it stands after the `%` of a link-local address. */
  readonly zone?: string;
}

/** Where we are in our network, and who leads out of it. */
export interface Route extends Origin {
  readonly netmask: string;
  /** The router's address, with a zone if it is link-local; null where the system does not tell. */
  readonly gatewayHost: string | null;
}

/** Mappings are asked for so long: an hour, so that what a killed node leaves is soon gone. */
export const LIFETIME_SECONDS = 3600;
