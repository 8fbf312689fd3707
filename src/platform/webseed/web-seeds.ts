/**
 * Web seeds among the peers: a dialer that takes an address with a URL for host to a web server,
 * and every other one where it went before.
 */
import type { ConnectionEvents, Dialer, PeerAddress } from '../../engine/index.ts';
import { toHex } from '../../units/index.ts';
import { DIRECT, type Egress } from '../egress/index.ts';
import type { RangeClientOptions } from './range-client.ts';
import { WebSeedConnection } from './web-seed-connection.ts';
import type { WebSeedFiles } from './web-seed-files.ts';

/** A torrent with web seeds. */
export interface WebSeededTorrent {
  /** Lower-case hex of the info-hash its peers shake hands with. */
  readonly key: string;
  readonly files: WebSeedFiles;
  /** A web seed failed; told once for each URL and reason. */
  readonly onFailure: (url: string, reason: string) => void;
}

/** How web seeds are reached; names are looked up by the way out unless a resolver is given. */
export type WebSeedOptions = Partial<RangeClientOptions>;

/** Web seeds tried of one torrent. */
const URLS_MAX = 16;
/** After a connection that gave nothing, the next waits so long, doubled each time … */
const BARREN_MS = 2_000;
/** … up to this. */
const BARREN_MS_MAX = 10 * 60_000;

/** The web seeds of one transfer loop. */
export class WebSeeds {
  readonly #options: WebSeedOptions;
  readonly #torrents = new Map<string, WebSeededTorrent>();
  /** By torrent and URL: what was told, and how often in a row nothing came. */
  readonly #records = new Map<string, { told: string; barren: number; notBefore: number }>();

  constructor(options: WebSeedOptions = {}) {
    this.#options = options;
  }

  /** Makes a torrent's web seeds known; returns the addresses they go by in the engine. */
  add(torrent: WebSeededTorrent, urls: readonly string[]): readonly PeerAddress[] {
    this.#torrents.set(torrent.key, torrent);
    const usable = [...new Set(urls)].filter(isWebUrl).slice(0, URLS_MAX);
    return usable.map((url) => ({ host: url, port: portOf(url) }));
  }

  /** Forgets a torrent. */
  remove(key: string): void {
    this.#torrents.delete(key);
    for (const known of this.#records.keys())
      if (known.startsWith(key)) this.#records.delete(known);
  }

  /** A dialer that knows web seeds, over one that knows peers. */
  dialer(inner: Dialer): Dialer {
    return {
      connect: (host, port, events) =>
        isWebUrl(host) ? this.#connect({ host, port }, events) : inner.connect(host, port, events),
    };
  }

  #connect({ host: url, port }: PeerAddress, events: ConnectionEvents): WebSeedConnection {
    let torrent: WebSeededTorrent | null = null;
    return new WebSeedConnection({
      url,
      port,
      events,
      filesOf: (infoHash) => {
        torrent = this.#torrents.get(toHex(infoHash)) ?? null;
        const record = torrent && this.#records.get(`${torrent.key} ${url}`);
        const isResting = record ? performance.now() < record.notBefore : false;
        return torrent && !isResting ? torrent.files : null;
      },
      openReader: async (files) => {
        const { WebSeedReader } = await import('./web-seed-reader.ts');
        const { egress = DIRECT } = this.#options;
        const resolve = (name: string): ReturnType<Egress['resolve']> => egress.resolve(name);
        const defaults = { userAgent: 'Bidwidth', resolve };
        return new WebSeedReader(url, files, { ...defaults, ...this.#options });
      },
      onEnd: (gaveBytes, failure) => {
        if (torrent) this.#onEnd({ torrent, url }, gaveBytes > 0, failure);
      },
    });
  }

  #onEnd(
    { torrent, url }: { readonly torrent: WebSeededTorrent; readonly url: string },
    wasUseful: boolean,
    failure: string | null,
  ): void {
    if (failure === null) return;
    const key = `${torrent.key} ${url}`;
    const record = this.#records.get(key) ?? { told: '', barren: 0, notBefore: 0 };
    this.#records.set(key, record);
    record.barren = wasUseful ? 1 : record.barren + 1;
    const restMs = Math.min(BARREN_MS_MAX, BARREN_MS * 2 ** (record.barren - 1));
    record.notBefore = performance.now() + restMs;
    if (record.told === failure) return;
    record.told = failure;
    torrent.onFailure(url, failure);
  }
}

function isWebUrl(host: string): boolean {
  return /^https?:\/\//i.test(host) && URL.canParse(host);
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}
