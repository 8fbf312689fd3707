/** Local service discovery for the torrents of one transfer thread (BEP 14). */
import { LocalDiscovery } from '../../discovery/index.ts';
import type { Engine, Torrent } from '../../engine/index.ts';
import { LsdSockets } from '../../platform/lsd/index.ts';
import { systemRandom } from '../../platform/net/index.ts';
import { type Instant, instant, toHex } from '../../units/index.ts';

/** What local discovery is given. */
export interface LocalPeersDeps {
  readonly engine: Engine;
  /** Where neighbours reach us: our own port, not the router's. */
  readonly port: number;
  /** Only the interface with this address; null for all. */
  readonly bindHost: string | null;
  /** A neighbour has a torrent that is asleep, or not here: it will hear us when we wake. */
  readonly onOther: (torrentKey: string) => void;
}

/** Announces the thread's torrents to neighbours, and connects to those that announce them. */
export class LocalPeers {
  readonly #deps: LocalPeersDeps;
  readonly #discovery = new LocalDiscovery(systemRandom);
  #sockets: LsdSockets | null = null;

  private constructor(deps: LocalPeersDeps) {
    this.#deps = deps;
  }

  /** Opens the sockets. Where there is no multicast, nobody is found. */
  static async open(deps: LocalPeersDeps): Promise<LocalPeers> {
    const peers = new LocalPeers(deps);
    peers.#sockets = await LsdSockets.open({
      bindHost: deps.bindHost,
      onDatagram: (view, host) => peers.#heed(view, host),
    });
    return peers;
  }

  /** About once a second. */
  tick(now: Instant): void {
    const { engine, port } = this.#deps;
    const announce = this.#discovery.next(now, port, () => shown(engine));
    if (announce) this.#sockets?.send(announce);
  }

  close(): void {
    this.#sockets?.close();
  }

  #heed(view: Uint8Array, host: string): void {
    const { engine, onOther } = this.#deps;
    const found = this.#discovery.receive(view, host, instant(performance.now()));
    for (const { infoHash, port } of found) {
      const key = toHex(infoHash);
      const torrent = engine.torrents.get(key);
      if (!torrent) onOther(key);
      else if (isShown(torrent)) torrent.addPeers([{ host, port }], 'lsd');
    }
  }
}

function shown(engine: Engine): Torrent[] {
  return [...engine.torrents.values()].filter(isShown);
}

/** Private torrents are announced to their trackers alone (BEP 27). */
function isShown(torrent: Torrent): boolean {
  return !torrent.isPrivate && !torrent.isStopped;
}
