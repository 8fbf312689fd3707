/** All torrents of one transfer loop, the limits they share, and the tick that drives them. */
import {
  assert,
  type BytesPerSecond,
  equalBytes,
  type Instant,
  instant,
  type Random,
  toHex,
  UNLIMITED,
} from '../units/index.ts';
import { type Handshake, makePeerId } from '../wire/index.ts';
import { OwnAddress } from './canonical-priority.ts';
import { Choker } from './choker.ts';
import { CONNECTIONS_MAX, Connections } from './connections.ts';
import { DownloadTap } from './download-tap.ts';
import type { EncryptionOptions } from './encryption-policy.ts';
import type { PeerExtension } from './extension.ts';
import { type GateKeeper, HandshakeGate } from './handshake-gate.ts';
import { type Classify, placeOf } from './meeting-place.ts';
import { Outgoing } from './outgoing.ts';
import { Peer } from './peer.ts';
import type { PeerAddress } from './peer-book.ts';
import type { EngineContext } from './peer-owner.ts';
import { hasRoomFor } from './peer-turnover.ts';
import type { Connection, ConnectionEvents, Dialer, Hasher } from './ports.ts';
import { PEERS_PER_TORRENT_MAX } from './roster.ts';
import { SlabPool } from './slab-pool.ts';
import { standardChoking } from './standard-choking.ts';
import { StreamSecurity } from './stream-security.ts';
import { Torrent, type TorrentEvents } from './torrent.ts';
import type { RateLimits } from './torrent-limits.ts';
import { isBetterTwin } from './twins.ts';
import type { UploadPolicy } from './upload-policy.ts';
import { UploadScheduler } from './upload-scheduler.ts';
import { slotsFor } from './upload-slots.ts';

/** What an engine is made of. */
export interface EngineDeps {
  readonly dialer: Dialer;
  readonly hasher: Hasher;
  readonly random: Random;
  /** Where an address is: local ones are not limited in how many connections they have. */
  readonly classify: Classify;
  /** Extensions offered to every peer. */
  readonly extensions: readonly PeerExtension[];
  /** Replaces standard choking. */
  readonly uploadPolicy: UploadPolicy | null;
  /** Absent or null: connections are neither dialled nor accepted encrypted. */
  readonly encryption?: EncryptionOptions | null;
  /**
   * A peer asks for a torrent that is not here: true when it will be added and begun within
   * seconds. The peer waits for that, at most as long as for a handshake.
   */
  readonly rouse?: (torrentKey: string) => boolean;
  /** Dials by uTP alone, for `punch`; absent or null: there is none. */
  readonly utpDialer?: Dialer | null;
  /** Nobody took a connection to an address of a torrent's book. */
  readonly onUnreachable?: (torrentKey: string, address: PeerAddress) => void;
  /** A peer told where its DHT node is (BEP 5). */
  readonly onDhtNode?: (address: PeerAddress) => void;
  /** The time to the millisecond; without it that of the last tick serves. */
  readonly clock?: () => Instant;
}

/** Limits and names. */
export interface EngineOptions {
  /** Our name in extension handshakes. */
  readonly clientName: string;
  readonly uploadLimit?: BytesPerSecond;
  readonly downloadLimit?: BytesPerSecond;
  /** Connections at most, half-open ones included. Default 500. */
  readonly connectionsMax?: number;
  /** Peers of one torrent at most. Default 100. */
  readonly peersPerTorrentMax?: number;
  /** Memory for unfinished pieces in bytes. Default 20 MiB. */
  readonly slabBytes?: number;
}

const SAMPLE_MS = 500;

/** The engine. It does nothing by itself: `tick` is called about ten times a second. */
export class Engine implements EngineContext, GateKeeper {
  readonly localPeerId: Uint8Array;
  readonly clientName: string;
  readonly extensions: readonly PeerExtension[];
  readonly placeOf: (host: string) => string | null;
  readonly uploads: UploadScheduler = new UploadScheduler();
  readonly downloads: DownloadTap = new DownloadTap(() => this.#busy);
  readonly sha1: (view: Uint8Array) => Uint8Array;
  readonly torrents: Map<string, Torrent> = new Map();
  /** Port that peers can reach us at; 0 while there is none. */
  listenPort = 0;
  dhtPort = 0;
  now: Instant = instant(0);
  /** Who we are on the internet, as trackers say. */
  readonly own: OwnAddress = new OwnAddress(() => this.listenPort);
  readonly #deps: EngineDeps;
  /** Hybrid torrents by their other info-hash. */
  readonly #aliases = new Map<string, Torrent>();
  readonly #slabs: SlabPool;
  readonly #choker: Choker;
  readonly #connections: Connections;
  readonly #peersPerTorrentMax: number;
  /** Torrents that have peers, or had until the last sample: only these cost time. */
  readonly #busy = new Set<Torrent>();
  /** By torrent: handshakes of peers that wait for it to be roused. */
  readonly #held = new Map<string, HandshakeGate[]>();
  readonly #security: StreamSecurity;
  readonly #outgoing: Outgoing;
  #nextPeerKey = 1;
  #sampledAt = 0;
  #bestUploadRate = 0;

  constructor(deps: EngineDeps, options: EngineOptions) {
    this.#deps = deps;
    this.extensions = deps.extensions;
    this.clientName = options.clientName;
    this.localPeerId = makePeerId(deps.random);
    this.sha1 = (view) => deps.hasher.sha1(view);
    this.#slabs = new SlabPool(options.slabBytes);
    this.#security = new StreamSecurity(deps.encryption ?? null);
    this.placeOf = (host) => placeOf(host, deps.classify);
    this.#outgoing = this.#makeOutgoing();
    this.#choker = new Choker(deps.uploadPolicy ?? standardChoking());
    const max = options.connectionsMax ?? CONNECTIONS_MAX;
    this.#connections = new Connections({ max, placeOf: this.placeOf });
    this.#peersPerTorrentMax = options.peersPerTorrentMax ?? PEERS_PER_TORRENT_MAX;
    this.uploads.limit(options.uploadLimit ?? UNLIMITED);
    this.downloads.limit(options.downloadLimit ?? UNLIMITED);
  }

  clock(): Instant {
    return this.#deps.clock?.() ?? this.now;
  }

  /** Limits block payload of all torrents together; effective at once. */
  limit(rates: RateLimits): void {
    if (rates.upload !== undefined) this.uploads.limit(rates.upload);
    this.#choker.request();
    if (rates.download !== undefined) this.downloads.limit(rates.download);
  }

  /**
   * Adds a torrent by the 20 bytes of its info-hash, and the 32 of its v2 info-hash where it has
   * one; `begin` on it starts pieces when the metadata is known. A torrent with v2 alone goes by
   * the first 20 bytes of that.
   */
  add(infoHash: Uint8Array, events: TorrentEvents, infoHashV2: Uint8Array | null = null): Torrent {
    assert(!this.torrents.has(toHex(infoHash)), 'a torrent is added once');
    const { hasher, random } = this.#deps;
    const shared = { engine: this, hasher, slabs: this.#slabs, random };
    const torrent = new Torrent(infoHash, { ...shared, events, infoHashV2 });
    torrent.roster.peersMax = this.#peersPerTorrentMax;
    this.torrents.set(torrent.key, torrent);
    this.#security.add(infoHash);
    return torrent;
  }

  /** Both info-hashes of a hybrid torrent are known: it is asked for by either (BEP 52). */
  identify(torrent: Torrent, hashes: { readonly v1: Uint8Array; readonly v2: Uint8Array }): void {
    const other = torrent.identify(hashes);
    if (this.#find(other) !== null) return;
    this.#aliases.set(toHex(other), torrent);
    this.#security.add(other);
  }

  /** Stops and forgets a torrent. */
  remove(torrent: Torrent): void {
    torrent.stop('the torrent was removed');
    this.torrents.delete(torrent.key);
    const { otherHash } = torrent;
    if (otherHash && this.#aliases.get(toHex(otherHash)) === torrent) {
      this.#aliases.delete(toHex(otherHash));
      this.#security.remove(otherHash);
    }
    this.#security.remove(torrent.infoHash);
    this.#busy.delete(torrent);
  }

  /** A torrent that is not here can be roused: encrypted connections may ask for it, too. */
  expect(infoHash: Uint8Array): void {
    this.#security.add(infoHash);
  }

  /** Takes one `expect` back. */
  expectNoMore(infoHash: Uint8Array): void {
    this.#security.remove(infoHash);
  }

  /** A connection came in. Its events go to the returned object. */
  accept(incoming: Connection): ConnectionEvents {
    const gate = new HandshakeGate(this, null);
    const { connection, events } = this.#security.accept(incoming, gate);
    gate.bind(connection);
    if (this.#connections.makeRoom(connection.remoteHost)) {
      this.#connections.add(connection, this.now);
    } else {
      connection.close('too many connections');
    }
    return events;
  }

  onDhtNode(address: PeerAddress): void {
    this.#deps.onDhtNode?.(address);
  }

  /** Dials a peer by uTP at once, as it does us (BEP 55). The caller answers for the address. */
  punch(torrentKey: string, address: PeerAddress): void {
    const torrent = this.torrents.get(torrentKey);
    if (torrent) this.#outgoing.punch(torrent, address);
  }

  requestRechoke(): void {
    this.#choker.request();
  }

  /** Time passes: limits fill, peers are looked after, new connections are made. */
  tick(now: Instant): void {
    const elapsedMs = Math.max(0, now - this.now);
    this.now = now;
    this.downloads.fill(elapsedMs);
    this.uploads.fill(elapsedMs);
    for (const peer of this.#peers()) peer.onTick(now);
    if (now - this.#sampledAt >= SAMPLE_MS) this.#sample(now);
    if (this.#choker.isDue(now)) this.#rechoke(now);
    this.#outgoing.dialMore(this.torrents.values(), now);
    if (this.#held.size > 0) this.#letIn();
    this.#connections.endLate(now);
  }

  /** Closes everything. */
  stop(): void {
    for (const torrent of this.torrents.values()) torrent.stop('we are shutting down');
    this.#connections.endAllWaiting('we are shutting down');
  }

  // The handshake gate's questions.

  handshakeFor(infoHash: Uint8Array, speaksV2: boolean): Handshake | null {
    const torrent = this.#find(infoHash);
    if (!torrent || torrent.isStopped) return null;
    const isV2 = torrent.infoHashV2 !== null;
    const flags = { extended: true, fast: true, dht: this.dhtPort > 0, v2: isV2 };
    const named = (speaksV2 && torrent.infoHashV2?.slice(0, infoHash.length)) || infoHash;
    return { infoHash: named, peerId: this.localPeerId, flags };
  }

  isSame(infoHash: Uint8Array, other: Uint8Array): boolean {
    const torrent = this.#find(infoHash);
    return torrent !== null && torrent === this.#find(other);
  }

  hold(infoHash: Uint8Array, gate: HandshakeGate): boolean {
    const key = toHex(infoHash);
    const torrent = this.#find(infoHash);
    const held = this.#held.get(key);
    const isComing = torrent ? held && isBeingPrepared(torrent) : this.#deps.rouse?.(key);
    if (!isComing) return false;
    if (held) held.push(gate);
    else this.#held.set(key, [gate]);
    return true;
  }

  admit(connection: Connection, remote: Handshake): ConnectionEvents | null {
    const torrent = this.#find(remote.infoHash);
    if (!torrent || torrent.isStopped) return null;
    const address = { host: connection.remoteHost, port: connection.remotePort };
    const isSelf = equalBytes(remote.peerId, this.localPeerId);
    if (isSelf || torrent.book.isBanned(address)) {
      if (isSelf) torrent.book.forget(address);
      return null;
    }
    const twin = torrent.roster.withId(remote.peerId);
    if (twin && !isBetterTwin({ connection, twin, localPeerId: this.localPeerId, now: this.now })) {
      if (connection.isOutbound) torrent.book.onDuplicate(address, this.now);
      return null;
    }
    if (!twin && !hasRoomFor(torrent.roster, address, this)) return null;
    twin?.close('the other connection to it is kept');
    this.#connections.onAdmitted(connection);
    this.#outgoing.onAdmitted(connection, this.now);
    const peer = new Peer(torrent, { peerKey: this.#nextPeerKey++, connection, remote });
    this.#busy.add(torrent);
    torrent.roster.adopt(peer);
    if (!this.downloads.isOpenFor(torrent)) peer.pauseReading(true);
    return this.#counted(connection, peer);
  }

  onFailed(connection: Connection | null): void {
    if (!connection || !this.#connections.remove(connection)) return;
    this.#outgoing.onFailed(connection, this.now);
  }

  #find(infoHash: Uint8Array): Torrent | null {
    const key = toHex(infoHash);
    return this.torrents.get(key) ?? this.#aliases.get(key) ?? null;
  }

  /** Keeps the count of connections right whoever closes them. */
  #counted(connection: Connection, peer: Peer): ConnectionEvents {
    return {
      onOpen: () => {},
      onBytes: (view) => peer.onBytes(view),
      onDrain: () => peer.onDrain(),
      onClosed: () => {
        this.#connections.remove(connection);
        peer.onClosed();
      },
    };
  }

  *#peers(): Iterable<Peer> {
    for (const torrent of this.#busy) yield* torrent.peers.values();
  }

  /** Lets those in whose torrent is ready; the others wait on until their time is up. */
  #letIn(): void {
    for (const [key, gates] of this.#held) {
      const torrent = this.torrents.get(key) ?? this.#aliases.get(key);
      const isReady = torrent && !isBeingPrepared(torrent);
      if (!isReady && gates.some((gate) => !gate.isClosed)) continue;
      this.#held.delete(key);
      for (const gate of gates) gate.resume();
    }
  }

  #sample(now: Instant): void {
    const elapsedMs = now - this.#sampledAt;
    this.#sampledAt = now;
    let uploadRate = 0;
    for (const torrent of this.#busy) {
      torrent.sample(elapsedMs);
      uploadRate += torrent.sent.rate;
      const isQuiet = torrent.received.rate === 0 && torrent.sent.rate === 0;
      if (torrent.peers.size === 0 && isQuiet) this.#busy.delete(torrent);
    }
    this.#bestUploadRate = Math.max(this.#bestUploadRate * 0.999, uploadRate);
  }

  #rechoke(now: Instant): void {
    const limit = this.uploads.rateLimit;
    const isLimited = limit !== UNLIMITED;
    const capacity = isLimited ? limit : this.#bestUploadRate;
    const slots = slotsFor(limit);
    const { random } = this.#deps;
    this.#choker.run({ peers: this.#peers(), capacity, isLimited, slots, random }, now);
  }

  #makeOutgoing(): Outgoing {
    const { dialer, utpDialer = null, onUnreachable } = this.#deps;
    return new Outgoing({
      ...{ keeper: this, security: this.#security, dialer, utpDialer, own: this.own },
      placeOf: this.placeOf,
      hasRoom: (host) => this.#connections.hasRoom(host),
      begin: (connection) => this.#connections.add(connection, this.now),
      onUnreachable: ({ key }, address) => onUnreachable?.(key, address),
    });
  }
}

/** Its metadata is known, and what is on disk is being found out. */
function isBeingPrepared(torrent: Torrent): boolean {
  return torrent.work === null && !torrent.isStopped;
}
