/** The nodes one knows in one address family: many near one's own id, few far away (BEP 5). */
import { equalBytes, type Instant, instant, type Random, randomInt } from '../../units/index.ts';
import {
  compareDistance,
  type Endpoint,
  NODE_ID_BYTES,
  type NodeContact,
  nodeIdAtDistance,
  sharedPrefixBits,
} from '../../wire/index.ts';
import { type JudgedContact, keyOf } from './address-rules.ts';
import { Bucket, GOOD_MS, standingOf, type TableNode } from './bucket.ts';

/** Nodes of one prefix (/24, /48) in the whole table; in a bucket it is one. */
const PREFIX_NODES_MAX = 4;

/**
 * The routing table of one node in one family. Only nodes that have answered get in, one per
 * address, one per prefix in a bucket and `PREFIX_NODES_MAX` in all; the local network is exempt.
 */
export class RoutingTable {
  readonly localId: Uint8Array;
  /** Bucket i holds nodes that share i leading bits with us, the last one those that share more. */
  readonly #buckets: Bucket[];
  readonly #byKey = new Map<string, TableNode>();

  constructor(localId: Uint8Array, now: Instant) {
    this.localId = localId;
    this.#buckets = [new Bucket(now)];
  }

  get size(): number {
    return this.#byKey.size;
  }

  get bucketCount(): number {
    return this.#buckets.length;
  }

  /** All nodes, nearest buckets last. */
  nodes(): readonly TableNode[] {
    return this.#buckets.flatMap((bucket) => bucket.nodes);
  }

  has(endpoint: Endpoint): boolean {
    return this.#byKey.has(keyOf(endpoint));
  }

  /** A node answered: it is refreshed, or added where the rules allow it. */
  onReply(judged: JudgedContact, now: Instant): void {
    const { contact } = judged;
    if (equalBytes(contact.id, this.localId)) return;
    const known = this.#byKey.get(keyOf(contact));
    if (known && equalBytes(known.contact.id, contact.id)) {
      known.lastReplyAt = now;
      known.failures = 0;
      this.#bucketOf(contact.id).changedAt = now;
      return;
    }
    // The node behind this address has taken another id.
    if (known) this.#remove(known);
    const lastQueryAt = instant(Number.NEGATIVE_INFINITY);
    this.#add({ ...judged, lastReplyAt: now, lastQueryAt, pingedAt: now, failures: 0 }, now);
  }

  /** A node asked us something: known ones stay good by it (BEP 5). */
  onQuery(from: NodeContact, now: Instant): void {
    const known = this.#byKey.get(keyOf(from));
    if (known && equalBytes(known.contact.id, from.id)) known.lastQueryAt = now;
  }

  /** A node left a query unanswered. */
  onFailure(endpoint: Endpoint, now: Instant): void {
    const node = this.#byKey.get(keyOf(endpoint));
    if (!node) return;
    node.failures++;
    if (standingOf(node, now) !== 'bad') return;
    const bucket = this.#bucketOf(node.contact.id);
    // A bad node stays until there is a better one: when our own network is down, all are bad.
    const next = bucket.replacements.pop();
    if (!next) return;
    this.#remove(node);
    this.#add(next, now);
  }

  /** Whether a node that is not in the table would get in if it answered. */
  hasRoomFor(judged: JudgedContact, now: Instant): boolean {
    const { contact } = judged;
    if (this.has(contact) || equalBytes(contact.id, this.localId)) return false;
    const bucket = this.#bucketOf(contact.id);
    const canSplit = bucket === this.#buckets.at(-1);
    return (
      !bucket.isFull || canSplit || bucket.nodes.some((node) => standingOf(node, now) === 'bad')
    );
  }

  /**
   * Up to `count` nodes nearest to `target`, nearest first. `good` leaves out all others, as
   * replies must; `usable` leaves out the bad ones unless there is nobody else.
   */
  closest(target: Uint8Array, count: number, choice: 'good' | 'usable', now: Instant): TableNode[] {
    const found: TableNode[] = [];
    for (const group of this.#groupsAround(target)) {
      const fit = group.filter((node) => {
        const standing = standingOf(node, now);
        return choice === 'good' ? standing === 'good' : standing !== 'bad';
      });
      found.push(...byDistance(fit, target));
      if (found.length >= count) break;
    }
    if (found.length === 0 && choice === 'usable') found.push(...byDistance(this.nodes(), target));
    return found.slice(0, count);
  }

  /** A node that is not good to be pinged now: the one whose turn was longest ago. */
  nextToPing(now: Instant): TableNode | null {
    let next: TableNode | null = null;
    for (const node of this.#byKey.values()) {
      if (standingOf(node, now) === 'good') continue;
      if (!next || node.pingedAt < next.pingedAt) next = node;
    }
    if (next) next.pingedAt = now;
    return next;
  }

  /** An id in a bucket without change for 15 minutes, to be looked up; null when all are fresh. */
  refreshTarget(random: Random, now: Instant): Uint8Array | null {
    const index = this.#buckets.findIndex((bucket) => now - bucket.changedAt >= GOOD_MS);
    const bucket = this.#buckets[index];
    if (!bucket) return null;
    bucket.changedAt = now;
    return this.#idInBucket(index, random);
  }

  /** An id in each bucket that has room: a new node looks these up to fill its table. */
  idsToFill(random: Random): readonly Uint8Array[] {
    return this.#buckets.flatMap((bucket, index) =>
      bucket.isFull ? [] : [this.#idInBucket(index, random)],
    );
  }

  /** Moves everybody to a table around another id. */
  withLocalId(localId: Uint8Array, now: Instant): RoutingTable {
    const moved = new RoutingTable(localId, now);
    for (const node of this.nodes()) moved.#add(node, now);
    return moved;
  }

  #add(node: TableNode, now: Instant): void {
    const bucket = this.#bucketOf(node.contact.id);
    const canSplit = bucket === this.#buckets.at(-1) && this.#buckets.length < NODE_ID_BYTES * 8;
    const weakest = bucket.isFull && !canSplit ? bucket.weakest(node, now) : null;
    if (bucket.isFull && !canSplit && !weakest) {
      bucket.keepForLater(node);
    } else if (this.#mayEnter(node, now)) {
      if (bucket.isFull && canSplit) this.#splitFor(node, now);
      else if (bucket.isFull && weakest) this.#remove(weakest);
      const home = this.#bucketOf(node.contact.id);
      if (home.isFull) home.keepForLater(node);
      else this.#put(home, node, now);
    }
  }

  /** Splits the last bucket until there is room for a node, or it is not in the last one. */
  #splitFor(node: TableNode, now: Instant): void {
    for (;;) {
      const bucket = this.#bucketOf(node.contact.id);
      const isLast = bucket === this.#buckets.at(-1);
      if (!bucket.isFull || !isLast || this.#buckets.length >= NODE_ID_BYTES * 8) return;
      this.#split(bucket, now);
    }
  }

  /** One node per id and per address, few per prefix; who is good is not displaced. */
  #mayEnter(node: TableNode, now: Instant): boolean {
    const rivals: TableNode[] = [];
    let prefixCount = 0;
    for (const other of this.#byKey.values()) {
      const isSameId = equalBytes(other.contact.id, node.contact.id);
      const isSameHost = !node.isLocal && other.contact.host === node.contact.host;
      if (isSameId || isSameHost) rivals.push(other);
      else if (!node.isLocal && other.prefix === node.prefix) prefixCount++;
    }
    if (rivals.some((rival) => standingOf(rival, now) === 'good')) return false;
    if (prefixCount >= PREFIX_NODES_MAX) return false;
    const { nodes } = this.#bucketOf(node.contact.id);
    const isCrowded = nodes.some(
      (other) => other.prefix === node.prefix && !rivals.includes(other),
    );
    if (isCrowded && !node.isLocal) return false;
    for (const rival of rivals) this.#remove(rival);
    return true;
  }

  #put(bucket: Bucket, node: TableNode, now: Instant): void {
    bucket.nodes.push(node);
    bucket.changedAt = now;
    this.#byKey.set(keyOf(node.contact), node);
  }

  #remove(node: TableNode): void {
    const { nodes } = this.#bucketOf(node.contact.id);
    const at = nodes.indexOf(node);
    if (at >= 0) nodes.splice(at, 1);
    this.#byKey.delete(keyOf(node.contact));
  }

  /** The last bucket becomes two: those that share one bit more with us move on. */
  #split(last: Bucket, now: Instant): void {
    const bits = this.#buckets.length - 1;
    const next = new Bucket(now);
    this.#buckets.push(next);
    for (const list of ['nodes', 'replacements'] as const) {
      const all = last[list].splice(0);
      for (const node of all) {
        const isNear = sharedPrefixBits(this.localId, node.contact.id) > bits;
        (isNear ? next : last)[list].push(node);
      }
    }
  }

  #bucketOf(id: Uint8Array): Bucket {
    const bits = sharedPrefixBits(this.localId, id);
    const bucket = this.#buckets[Math.min(bits, this.#buckets.length - 1)];
    // There is always a first bucket.
    return bucket as Bucket;
  }

  #idInBucket(index: number, random: Random): Uint8Array {
    const isLast = index === this.#buckets.length - 1;
    const bits = isLast ? Math.min(index + randomInt(random, 3), NODE_ID_BYTES * 8 - 1) : index;
    return nodeIdAtDistance(this.localId, bits, random);
  }

  /**
   * Groups of nodes, each group nearer to `target` than the next: the target's own bucket, then all
   * nearer to us (they differ from the target at the same bit), then farther ones one by one.
   */
  *#groupsAround(target: Uint8Array): Iterable<readonly TableNode[]> {
    const last = this.#buckets.length - 1;
    const own = Math.min(sharedPrefixBits(this.localId, target), last);
    yield this.#buckets[own]?.nodes ?? [];
    yield this.#buckets.slice(own + 1).flatMap((bucket) => bucket.nodes);
    for (let index = own - 1; index >= 0; index--) yield this.#buckets[index]?.nodes ?? [];
  }
}

function byDistance(nodes: readonly TableNode[], target: Uint8Array): TableNode[] {
  return nodes.toSorted((a, b) => compareDistance(target, a.contact.id, b.contact.id));
}
