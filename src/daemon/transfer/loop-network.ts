/** What a loop's engine reaches the world by: ports, trackers, web seeds, the DHT, neighbours. */
import type { Dialer, Engine } from '../../engine/index.ts';
import { Egress } from '../../platform/egress/index.ts';
import { PeerNetwork } from '../../platform/net/index.ts';
import type { TrackerAnnouncer, TrackerTransport } from '../../platform/tracker/index.ts';
import { WebSeeds } from '../../platform/webseed/index.ts';
import { assert, type Instant } from '../../units/index.ts';
import { DhtLine } from './dht-line.ts';
import type { LocalPeers } from './local-peers.ts';
import type { TransferOptions } from './messages.ts';

/** Name and version, to peers and to servers. */
export const CLIENT_NAME = 'Bidwidth 0.1.0';

/** Who hears of the network. */
export interface NetworkEvents {
  /** Trouble with the way out, or its end, in one line. */
  notice(line: string): void;
  /** Our DHT node listens on this UDP port. */
  onDhtOpen(udpPort: number): void;
}

/** One loop's. Dials from the beginning of `open` on. */
export class LoopNetwork {
  readonly egress: Egress;
  readonly webSeeds: WebSeeds;
  /** null without a DHT. */
  readonly dht: DhtLine | null;
  /** Dials peers, and web seeds, which to the engine are peers. */
  readonly dialer: Dialer;
  /** Dials by uTP alone, where `canDialUtp`. */
  readonly utpDialer: Dialer;
  readonly #options: TransferOptions;
  #peers: PeerNetwork | null = null;
  #neighbours: LocalPeers | null = null;
  #transport: TrackerTransport | null = null;

  constructor(options: TransferOptions, { notice, onDhtOpen }: NetworkEvents) {
    this.#options = options;
    this.egress = new Egress(options, notice);
    this.webSeeds = new WebSeeds({ egress: this.egress, userAgent: CLIENT_NAME });
    this.dht = options.dhtPort ? new DhtLine(options.dhtPort, onDhtOpen) : null;
    this.dialer = this.webSeeds.dialer(lateDialer(() => this.#peers?.dialer));
    this.utpDialer = lateDialer(() => this.#peers?.utpDialer);
  }

  /** The port we listen on; 0 when we do not. */
  get port(): number {
    return this.#peers?.port ?? 0;
  }

  get canDialUtp(): boolean {
    return this.#peers?.utpDialer != null;
  }

  /**
   * Opens the port for `engine`, and looks for neighbours where that is wanted; `onOther` hears of
   * their torrents that are not at work here.
   */
  async open(engine: Engine, onOther: (torrentKey: string) => void): Promise<void> {
    const { egress } = this;
    const { listenPort, useTcp = true, useUtp = true, ipList = null } = this.#options;
    this.#peers = await PeerNetwork.open(
      { port: listenPort, egress, useTcp, useUtp, ipList },
      (connection) => engine.accept(connection),
    );
    engine.listenPort = this.port;
    if (!this.#options.useLsd || !egress.isOpen) return;
    const { LocalPeers: Loaded } = await import('./local-peers.ts');
    const { bindHost } = this.#options;
    this.#neighbours = await Loaded.open({ engine, port: this.port, bindHost, onOther });
  }

  /** Trackers cost module loading; torrents without them do not pay for it. */
  async announcer(): Promise<TrackerAnnouncer> {
    const trackers = await import('../../platform/tracker/index.ts');
    this.#transport ??= new trackers.TrackerTransport({
      egress: this.egress,
      userAgent: CLIENT_NAME,
    });
    return new trackers.TrackerAnnouncer(this.#transport);
  }

  /** About once a second. */
  tick(now: Instant): void {
    this.egress.look();
    this.#neighbours?.tick(now);
  }

  /** Nobody can reach us any more; what is connected goes on. */
  stopListening(): void {
    this.#peers?.stopListening();
    this.#neighbours?.close();
  }

  /** Ends what is left. */
  async close(): Promise<void> {
    await this.#peers?.close();
    this.#transport?.close();
  }
}

/** A dialer for ports that will be open by the time that something is dialled. */
function lateDialer(find: () => Dialer | null | undefined): Dialer {
  return {
    connect: (...to) => {
      const dialer = find();
      assert(dialer, 'nothing is dialled before the ports are open');
      return dialer.connect(...to);
    },
  };
}
