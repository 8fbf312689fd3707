/** Maps the ports of a node, and tells transfer threads and DHT what to announce instead. */
import { classifyAddress } from '../../discovery/index.ts';
import {
  type PinholeReach,
  Pinholes,
  PortMapper,
  type PortWish,
  type Reach,
} from '../../platform/nat/index.ts';
import type { NodeDht } from '../dht/index.ts';
import type { OutsidePlace, TransferPool } from '../transfer/index.ts';

export type { PinholeReach, Reach } from '../../platform/nat/index.ts';

/** What a node has that others outside want to reach. */
export interface NatParts {
  readonly transfer: TransferPool;
  readonly dht: NodeDht | null;
  readonly bindHost: string | null;
  readonly useTcp: boolean;
  readonly useUtp: boolean;
  /** The user is told: over IPv4, and of the firewall over IPv6. */
  readonly onReach: (reach: Reach) => void;
  readonly onPinholes: (reach: PinholeReach) => void;
}

/** The mappings of a node, from `start` to `stop`. */
export class NodeNat {
  /** What runs for each family that the node listens in. */
  readonly #parts: readonly (PortMapper | Pinholes)[];

  private constructor(parts: readonly (PortMapper | Pinholes)[]) {
    this.#parts = parts;
  }

  /** Begins; nothing waits for it. */
  static start(parts: NatParts): NodeNat {
    const { bindHost, onPinholes } = parts;
    const wishes = wishesOf(parts);
    const onReach = (said: Reach): void => {
      const reach = believed(said);
      tell(parts, reach);
      parts.onReach(reach);
    };
    const isSix = bindHost?.includes(':') ?? true;
    const isFour = bindHost === null || bindHost === '::' || !isSix;
    return new NodeNat([
      ...(isFour ? [PortMapper.start({ wishes, bindHost, onReach })] : []),
      ...(isSix ? [Pinholes.start({ wishes, bindHost, onReach: onPinholes })] : []),
    ]);
  }

  /** Takes the mappings back; within a second in any case. */
  async stop(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.stop()));
  }
}

function wishesOf({ transfer, dht, useTcp, useUtp }: NatParts): readonly PortWish[] {
  const ways = (['tcp', 'udp'] as const).filter((way) => (way === 'tcp' ? useTcp : useUtp));
  const wishes: PortWish[] = ways.flatMap((protocol) =>
    transfer.ports.map((port) => ({ protocol, port })),
  );
  const udpPort = dht?.port ?? 0;
  const isThere = wishes.some(({ protocol, port }) => protocol === 'udp' && port === udpPort);
  return udpPort === 0 || isThere ? wishes : [...wishes, { protocol: 'udp', port: udpPort }];
}

/** A router behind a router knows no address that is worth anything. */
function believed(reach: Reach): Reach {
  if (reach.state !== 'mapped' || reach.externalHost === null) return reach;
  return classifyAddress(reach.externalHost) === 'public'
    ? reach
    : { ...reach, externalHost: null };
}

/** A port that the router does not map is announced as it is: it may be reached all the same. */
function tell({ transfer, dht }: NatParts, reach: Reach): void {
  const ports = reach.state === 'mapped' ? reach.ports : [];
  const host = reach.state === 'mapped' ? reach.externalHost : null;
  const outside = new Map<number, OutsidePlace>();
  // TCP's last: where both differ, that is the one that most peers dial.
  const byWeight = [...ports].sort((a, b) => weight(a) - weight(b));
  for (const { port, externalPort } of byWeight) outside.set(port, { port: externalPort, host });
  // After a crash nobody is left to be told.
  transfer.reachedAt(outside).catch(() => {});
  if (!dht) return;
  const own = ports.find(({ protocol, port }) => protocol === 'udp' && port === dht.port);
  dht.reachedAt(own?.externalPort ?? dht.port);
}

function weight({ protocol }: PortWish): number {
  return protocol === 'tcp' ? 1 : 0;
}
