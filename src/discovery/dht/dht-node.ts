/** One node in the DHT of one address family: packets and time in, packets out. */
import { equalBytes, type Instant, instant, type Random } from '../../units/index.ts';
import {
  type DhtQuery,
  type DhtReply,
  decodeKrpc,
  type Endpoint,
  encodeKrpc,
  type Family,
  KRPC_PACKET_BYTES_MAX,
  type KrpcMessage,
  type NodeContact,
  parseIp,
  randomNodeId,
  type Sha1,
  secureNodeId,
  type Want,
  WireError,
} from '../../wire/index.ts';
import { judgeContact } from './address-rules.ts';
import { BUCKET_NODES } from './bucket.ts';
import { ExternalVote } from './external-vote.ts';
import { fitReply } from './fit-reply.ts';
import { ItemStore, type VerifySignature } from './item-store.ts';
import { PeerStore } from './peer-store.ts';
import { QueryBook, type QueryOutcome } from './query-book.ts';
import { Responder } from './responder.ts';
import { RoutingTable } from './routing-table.ts';
import { Searches } from './searches.ts';
import { type DhtLimits, type Question, TrafficLimits } from './traffic-limits.ts';
import { WriteTokens } from './write-tokens.ts';

/** What the node needs from outside. */
export interface DhtPorts {
  /** Sends a datagram; a lost one is no failure. */
  send(packet: Uint8Array, to: Endpoint): void;
  /** Unpredictable: it makes transaction ids and tokens. */
  readonly random: Random;
  readonly sha1: Sha1;
  /** ed25519. */
  readonly verify: VerifySignature;
}

/** How a node is set up. */
export interface DhtNodeOptions {
  readonly family: Family;
  /** The id of before, 20 bytes; null makes one. It changes when our address turns out other. */
  readonly localId: Uint8Array | null;
  readonly limits: DhtLimits;
  /** Asks and answers nothing (BEP 43): for machines that cannot be reached. */
  readonly isReadOnly: boolean;
  /** Our node of the other family, which shares what it learns (BEP 32). */
  readonly other: () => DhtNode | null;
}

/** A question to one node. */
export interface NodeQuestion {
  readonly to: Endpoint;
  readonly expectedId: Uint8Array | null;
  readonly query: DhtQuery;
  readonly onOutcome: (outcome: QueryOutcome) => void;
}

/** Longest packet sent (BEP 32). */
const PACKET_BYTES_MAX = 1024;

/** A reply with an item of 1000 bytes: as long as an Ethernet frame carries whole. */
const ITEM_PACKET_BYTES_MAX = 1400;

/** The routing table is looked after so often. */
const CARE_MS = 5_000;

/** What others stored is looked through so often. */
const EXPIRE_MS = 60_000;

/** Our neighbours are looked up again soon after joining, and then every so often. */
const NEIGHBOURS_FIRST_MS = 30_000;
const NEIGHBOURS_MS: number = 15 * 60_000;

/** Askers that are pinged, to see whether they belong into the table, per care. */
const PINGS_PER_CARE = 16;

/** A node of the DHT in one family. */
export class DhtNode {
  readonly family: Family;
  readonly peers: PeerStore;
  readonly items: ItemStore;
  readonly searches: Searches;
  readonly #ports: DhtPorts;
  readonly #options: DhtNodeOptions;
  readonly #tokens: WriteTokens;
  readonly #limits: TrafficLimits;
  readonly #book: QueryBook;
  readonly #responder: Responder;
  readonly #vote = new ExternalVote();
  #table: RoutingTable;
  #now: Instant;
  #careAt: Instant = instant(0);
  #expireAt: Instant = instant(0);
  #neighboursAt: Instant = instant(Number.POSITIVE_INFINITY);
  #pingsLeft = PINGS_PER_CARE;
  #isBootstrapping = false;

  constructor(ports: DhtPorts, options: DhtNodeOptions, now: Instant) {
    const { family } = options;
    this.family = family;
    this.#ports = ports;
    this.#options = options;
    this.#now = now;
    this.#table = new RoutingTable(options.localId ?? randomNodeId(ports.random), now);
    this.#tokens = new WriteTokens(ports);
    this.#limits = new TrafficLimits(options.limits, now);
    this.#book = new QueryBook(ports.random);
    this.peers = new PeerStore(ports.random);
    this.items = new ItemStore(ports);
    this.#responder = new Responder({
      ...{ family, tokens: this.#tokens, peers: this.peers, items: this.items, sha1: ports.sha1 },
      tableOf: (of) => (of === family ? this.#table : (options.other()?.table ?? null)),
    });
    this.searches = new Searches({
      ask: (question) => this.ask(question),
      nearest: (target) => this.#table.closest(target, BUCKET_NODES, 'usable', this.#now),
      now: () => this.#now,
    });
  }

  get table(): RoutingTable {
    return this.#table;
  }

  /** The time of the last tick or packet. */
  get now(): Instant {
    return this.#now;
  }

  /** Our own address as others see it; null before enough of them agree. */
  get externalHost(): string | null {
    return this.#vote.address;
  }

  get isBootstrapping(): boolean {
    return this.#isBootstrapping;
  }

  /** Finds the nodes near us, then some of every region, starting from these. */
  bootstrap(entrances: readonly Endpoint[], contacts: readonly NodeContact[]): void {
    if (this.#isBootstrapping) return;
    this.#isBootstrapping = true;
    const known = contacts.flatMap((contact) => judgeContact(contact, true) ?? []);
    const target = this.#table.localId;
    // Asking for both families lets each find the other's nodes (BEP 32, "Bootstrapping").
    const other = this.#options.other();
    const want: Want = other ? [4, 6] : null;
    const query = { method: 'find_node', target, want } as const;
    const onReply = (reply: DhtReply): void => {
      other?.meet(other.family === 4 ? reply.nodes : reply.nodes6);
    };
    const onDone = (): void => {
      this.#isBootstrapping = false;
      this.#neighboursAt = instant(this.#now + NEIGHBOURS_FIRST_MS);
      this.#fill();
    };
    this.searches.start({ target, query, entrances, known, onReply, onDone });
  }

  /** Strangers told of these nodes: of use only while we know nobody ourselves. */
  meet(contacts: readonly NodeContact[]): void {
    const known = contacts.filter((contact) => judgeContact(contact, false) !== null);
    if (this.#table.size === 0 && known.length > 0) this.bootstrap([], known);
  }

  /** A node may be at this address: it is asked, and kept if it answers and there is room. */
  ping(endpoint: Endpoint): void {
    const query = { method: 'ping' } as const;
    this.ask({ to: endpoint, expectedId: null, query, onOutcome: () => {} });
  }

  /** Asks one node something. The outcome always comes. */
  ask({ to, expectedId, query, onOutcome }: NodeQuestion): void {
    if (this.#book.isFull) {
      onOutcome({ kind: 'timeout' });
      return;
    }
    const transactionId = this.#book.open({ to, expectedId, onOutcome }, this.#now);
    const senderId = this.#table.localId;
    const { isReadOnly } = this.#options;
    this.#ports.send(encodeKrpc({ kind: 'query', transactionId, senderId, isReadOnly, query }), to);
  }

  /** A datagram came. Whatever it holds, nothing is thrown. */
  onPacket(packet: Uint8Array, from: Endpoint, now: Instant): void {
    this.#now = now;
    const message = readPacket(packet);
    if (!message) return;
    if (message.kind !== 'query') this.#onAnswer(message, from);
    else if (!this.#options.isReadOnly) this.#onQuery(message, from, packet.length);
  }

  /** Time passes. Call it several times a second. */
  tick(now: Instant): void {
    this.#now = now;
    for (const { to, onOutcome } of this.#book.expire(now)) {
      this.#table.onFailure(to, now);
      onOutcome({ kind: 'timeout' });
    }
    this.searches.tick();
    if (now >= this.#careAt) this.#care(now);
  }

  #care(now: Instant): void {
    this.#careAt = instant(now + CARE_MS);
    this.#pingsLeft = PINGS_PER_CARE;
    this.#tokens.tick(now);
    const stale = this.#table.nextToPing(now);
    if (stale) this.ping(stale.contact);
    const target = this.searches.isIdle ? this.#table.refreshTarget(this.#ports.random, now) : null;
    if (target) this.#lookUp(target);
    if (now >= this.#neighboursAt) {
      this.#neighboursAt = instant(now + NEIGHBOURS_MS);
      this.#lookUp(this.#table.localId);
      this.#fill();
    }
    if (now < this.#expireAt) return;
    this.#expireAt = instant(now + EXPIRE_MS);
    this.peers.expire(now);
    this.items.expire(now);
  }

  /** Looks for nodes of every region of which we know too few. */
  #fill(): void {
    for (const id of this.#table.idsToFill(this.#ports.random)) this.#lookUp(id);
  }

  #lookUp(target: Uint8Array): void {
    const query = { method: 'find_node', target, want: null } as const;
    this.searches.start({ target, query, onDone: () => {} });
  }

  #onQuery(
    message: Extract<KrpcMessage, { kind: 'query' }>,
    from: Endpoint,
    lengthBytes: number,
  ): void {
    const now = this.#now;
    const sender: NodeContact = { id: message.senderId, host: from.host, port: from.port };
    const judged = judgeContact(sender, true);
    if (!judged || equalBytes(sender.id, this.#table.localId)) return;
    const { isLocal, prefix } = judged;
    const question: Question = { host: from.host, prefix, isLocal, lengthBytes };
    if (!this.#limits.admits(question, now)) return;
    const packet = this.#answer(message, from, question);
    this.#limits.spend(question, packet.length, now);
    this.#ports.send(packet, from);
    this.#table.onQuery(sender, now);
    if (message.isReadOnly || this.#pingsLeft <= 0) return;
    // Whether it belongs into the table only its own answer can tell.
    if (!this.#table.hasRoomFor(judged, now)) return;
    this.#pingsLeft--;
    this.ping(from);
  }

  #answer(
    { transactionId, query }: Extract<KrpcMessage, { kind: 'query' }>,
    from: Endpoint,
    question: Question,
  ): Uint8Array {
    const now = this.#now;
    const answer = this.#responder.answer(query, from, now);
    if (answer.kind === 'error') {
      const { code, text } = answer;
      return encodeKrpc({ kind: 'error', transactionId, code, text, externalAddress: null });
    }
    if (answer.provesAddress) this.#limits.prove(from.host, now);
    const usual = answer.reply.item ? ITEM_PACKET_BYTES_MAX : PACKET_BYTES_MAX;
    const lengthMax = this.#limits.replyBytesMax(question, usual, now);
    const senderId = this.#table.localId;
    const write = (reply: DhtReply, externalAddress: Endpoint | null): Uint8Array =>
      encodeKrpc({ kind: 'reply', transactionId, senderId, reply, externalAddress });
    const whole = write(answer.reply, from);
    if (whole.length <= lengthMax) return whole;
    const lengthOf = (reply: DhtReply): number => write(reply, from).length;
    const reply = fitReply(answer.reply, lengthMax, { family: this.family, lengthOf });
    const packet = write(reply, from);
    return packet.length <= lengthMax ? packet : write(reply, null);
  }

  #onAnswer(message: Exclude<KrpcMessage, { kind: 'query' }>, from: Endpoint): void {
    const now = this.#now;
    const query = this.#book.take(message.transactionId, from);
    if (!query) return;
    this.#limits.prove(from.host, now);
    if (message.kind === 'error') {
      query.onOutcome({ kind: 'error', code: message.code, text: message.text });
      return;
    }
    const { senderId, reply, externalAddress } = message;
    if (query.expectedId && !equalBytes(query.expectedId, senderId)) {
      // Whoever told us of that id was wrong or lied: this is not the node we look for.
      this.#table.onFailure(from, now);
      query.onOutcome({ kind: 'error', code: 0, text: 'another id' });
      return;
    }
    const judged = judgeContact({ id: senderId, host: from.host, port: from.port }, true);
    if (judged) this.#table.onReply(judged, now);
    if (externalAddress && this.#vote.add(from.host, externalAddress.host)) this.#moveId();
    query.onOutcome({ kind: 'reply', senderId, reply });
  }

  /** Our address is not what we thought: the id must be one that it may have (BEP 42). */
  #moveId(): void {
    const host = this.#vote.address ?? '';
    const ip = parseIp(host);
    const self = { id: this.#table.localId, host, port: 1 };
    if (!ip || judgeContact(self, false)?.isSecure !== false) return;
    this.#table = this.#table.withLocalId(secureNodeId(ip, this.#ports.random), this.#now);
    this.bootstrap([], []);
  }
}

function readPacket(packet: Uint8Array): KrpcMessage | null {
  if (packet.length > KRPC_PACKET_BYTES_MAX) return null;
  try {
    return decodeKrpc(packet);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
