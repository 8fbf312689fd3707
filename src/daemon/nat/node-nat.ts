/** Maps the ports of a node, and tells transfer threads and DHT what to announce instead. */
import { classifyAddress } from '../../discovery/index.ts';
import { PortMapper, type PortWish, type Reach } from '../../platform/nat/index.ts';
import type { NodeDht } from '../dht/index.ts';
import type { OutsidePlace, TransferPool } from '../transfer/index.ts';

export type { Reach } from '../../platform/nat/index.ts';

/** What a node has that others outside want to reach. */
export interface NatParts {
  readonly transfer: TransferPool;
  readonly dht: NodeDht | null;
  readonly bindHost: string | null;
  readonly useTcp: boolean;
  readonly useUtp: boolean;
  /** The user is told. */
  readonly onReach: (reach: Reach) => void;
}

/** The mappings of a node, from `start` to `stop`. */
export class NodeNat {
  readonly #mapper: PortMapper;

  private constructor(mapper: PortMapper) {
    this.#mapper = mapper;
  }

  /** Begins; nothing waits for it. */
  static start(parts: NatParts): NodeNat {
    const { bindHost } = parts;
    const onReach = (said: Reach): void => {
      const reach = believed(said);
      tell(parts, reach);
      parts.onReach(reach);
    };
    return new NodeNat(PortMapper.start({ wishes: wishesOf(parts), bindHost, onReach }));
  }

  /** Takes the mappings back; within a second in any case. */
  stop(): Promise<void> {
    return this.#mapper.stop();
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
