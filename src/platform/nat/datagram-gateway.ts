/** A router that is asked by datagrams: PCP (RFC 6887), or its elder NAT-PMP (RFC 6886). */
import { randomBytes } from 'node:crypto';
import {
  decodeNatPmpReply,
  decodePcpReply,
  encodeNatPmpAddressRequest,
  encodeNatPmpMapRequest,
  encodePcpMapRequest,
  explainPcpResult,
  NAT_PMP_PORT,
  type NatPmpReply,
  PCP_NONCE_BYTES,
  type PcpReply,
} from '../../wire/index.ts';
import { PlatformError } from '../platform-error.ts';
import {
  type Gateway,
  LIFETIME_SECONDS,
  type MapOptions,
  type MappedPort,
  type PortWish,
} from './gateway.ts';
import { askByUdp } from './udp-ask.ts';

/** Where the router is. */
export interface DatagramPlace {
  readonly localHost: string;
  readonly host: string;
  /** Another than 5351 only in tests. */
  readonly port?: number;
}

/** Asks by PCP. */
export class PcpGateway implements Gateway {
  readonly method = 'PCP';
  readonly #place: DatagramPlace;
  /** By wish. A mapping is renewed and removed only by who knows its nonce. */
  readonly #nonces = new Map<string, Uint8Array>();
  #externalHost: string | null = null;
  /** It has answered in another version: by the standard it is to be asked by NAT-PMP then. */
  isOtherVersion = false;

  constructor(place: DatagramPlace) {
    this.#place = place;
  }

  get externalHost(): string | null {
    return this.#externalHost;
  }

  async map(wish: PortWish, { externalPort, signal }: MapOptions): Promise<MappedPort | null> {
    const times = { lifetimeSeconds: LIFETIME_SECONDS, externalPort };
    const reply = await this.#ask(wish, times, signal);
    this.isOtherVersion = reply?.kind === 'other-version';
    if (reply?.kind === 'refused') throw refused('PCP', explainPcpResult(reply.resultCode));
    if (reply?.kind !== 'mapped') return null;
    this.#externalHost = reply.externalHost;
    const { lifetimeSeconds } = reply;
    return { ...wish, externalPort: reply.externalPort, lifetimeSeconds };
  }

  async unmap(mapped: MappedPort, signal: AbortSignal): Promise<void> {
    const { externalPort } = mapped;
    await this.#ask(mapped, { lifetimeSeconds: 0, externalPort }, signal);
  }

  #ask(
    { protocol, port }: PortWish,
    times: { readonly lifetimeSeconds: number; readonly externalPort: number },
    signal: AbortSignal,
  ): Promise<PcpReply | null> {
    const { localHost } = this.#place;
    const key = `${protocol}:${port}`;
    const nonce = this.#nonces.get(key) ?? randomBytes(PCP_NONCE_BYTES);
    this.#nonces.set(key, nonce);
    const about = { clientHost: localHost, nonce, protocol, internalPort: port };
    const request = encodePcpMapRequest({ ...about, ...times });
    const isOurs = (reply: PcpReply): boolean => {
      if (reply.kind === 'other-version' || reply.nonce === null) return true;
      if (!nonce.every((byte, at) => byte === reply.nonce?.[at])) return false;
      return (
        reply.kind === 'refused' || (reply.protocol === protocol && reply.internalPort === port)
      );
    };
    return ask(this.#place, { request, decode: decodePcpReply, isOurs, signal });
  }
}

/** Asks by NAT-PMP. */
export class NatPmpGateway implements Gateway {
  readonly method = 'NAT-PMP';
  readonly #place: DatagramPlace;
  #externalHost: string | null = null;

  constructor(place: DatagramPlace) {
    this.#place = place;
  }

  get externalHost(): string | null {
    return this.#externalHost;
  }

  async map(wish: PortWish, { externalPort, signal }: MapOptions): Promise<MappedPort | null> {
    const times = { lifetimeSeconds: LIFETIME_SECONDS, externalPort };
    const reply = await this.#askMap(wish, times, signal);
    if (reply?.kind === 'refused') {
      throw refused('NAT-PMP', NAT_PMP_REASONS[reply.resultCode] ?? `error ${reply.resultCode}`);
    }
    if (reply?.kind !== 'mapped') return null;
    const address = await this.#ask(encodeNatPmpAddressRequest(), isAddress, signal);
    if (address?.kind === 'address') this.#externalHost = address.host;
    const { lifetimeSeconds } = reply;
    return { ...wish, externalPort: reply.externalPort, lifetimeSeconds };
  }

  async unmap(mapped: MappedPort, signal: AbortSignal): Promise<void> {
    await this.#askMap(mapped, { lifetimeSeconds: 0, externalPort: 0 }, signal);
  }

  #askMap(
    { protocol, port }: PortWish,
    times: { readonly lifetimeSeconds: number; readonly externalPort: number },
    signal: AbortSignal,
  ): Promise<NatPmpReply | null> {
    const request = encodeNatPmpMapRequest({ protocol, internalPort: port, ...times });
    const isOurs = (reply: NatPmpReply): boolean =>
      reply.kind === 'refused'
        ? reply.op === request[1]
        : reply.kind === 'mapped' && reply.protocol === protocol && reply.internalPort === port;
    return this.#ask(request, isOurs, signal);
  }

  #ask(
    request: Uint8Array,
    isOurs: (reply: NatPmpReply) => boolean,
    signal: AbortSignal,
  ): Promise<NatPmpReply | null> {
    return ask(this.#place, { request, decode: decodeNatPmpReply, isOurs, signal });
  }
}

/** Result codes of RFC 6886, 3.5. */
const NAT_PMP_REASONS: Readonly<Record<number, string>> = {
  2: 'it does not let us',
  3: 'it is not connected itself',
  4: 'it has no ports left',
};

function isAddress(reply: NatPmpReply): boolean {
  return reply.kind === 'address' || (reply.kind === 'refused' && reply.op === 0);
}

interface Question<Reply> {
  readonly request: Uint8Array;
  readonly decode: (datagram: Uint8Array) => Reply;
  readonly isOurs: (reply: Reply) => boolean;
  readonly signal: AbortSignal;
}

function ask<Reply>(place: DatagramPlace, question: Question<Reply>): Promise<Reply | null> {
  const { request, decode, isOurs, signal } = question;
  const read = (datagram: Uint8Array): Reply | null => {
    const reply = decode(datagram);
    return isOurs(reply) ? reply : null;
  };
  const { localHost, host, port = NAT_PMP_PORT } = place;
  return askByUdp({ localHost, host, port, request, read, signal });
}

function refused(method: string, reason: string): PlatformError {
  return new PlatformError('PLATFORM_NAT', `${method}: ${reason}`, { method });
}
