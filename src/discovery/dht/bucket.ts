/** One bucket of the routing table (BEP 5, "Routing Table"). */
import type { Instant } from '../../units/index.ts';
import type { JudgedContact } from './address-rules.ts';

/** Nodes in a bucket, and in a reply: Kademlia's k. */
export const BUCKET_NODES = 8;

/** A node is good for so long after it was last heard of (BEP 5). */
export const GOOD_MS: number = 15 * 60_000;

/** Unanswered queries in a row after which a node is bad. */
const FAILURES_BAD = 2;

/** A node of the table: it has answered us at least once. */
export interface TableNode extends JudgedContact {
  lastReplyAt: Instant;
  /** When it last sent us a query; -Infinity for never. */
  lastQueryAt: Instant;
  /** When it was last chosen to be pinged. */
  pingedAt: Instant;
  /** Queries it left unanswered since its last reply. */
  failures: number;
}

/** What BEP 5 calls a node, by when and whether it answered. */
export type NodeStanding = 'good' | 'questionable' | 'bad';

/** What BEP 5 calls a node now. */
export function standingOf(node: TableNode, now: Instant): NodeStanding {
  if (node.failures >= FAILURES_BAD) return 'bad';
  const heardAt = Math.max(node.lastReplyAt, node.lastQueryAt);
  return node.failures === 0 && now - heardAt < GOOD_MS ? 'good' : 'questionable';
}

/** Up to 8 nodes, and up to 8 that would take their place. */
export class Bucket {
  readonly nodes: TableNode[] = [];
  /** Oldest first. */
  readonly replacements: TableNode[] = [];
  /** When a node was added, replaced or answered (BEP 5). */
  changedAt: Instant;

  constructor(now: Instant) {
    this.changedAt = now;
  }

  get isFull(): boolean {
    return this.nodes.length >= BUCKET_NODES;
  }

  /** A node the newcomer may displace: a bad one, else an insecure one when it is secure itself. */
  weakest(newcomer: TableNode, now: Instant): TableNode | null {
    const bad = this.nodes.find((node) => standingOf(node, now) === 'bad');
    if (bad) return bad;
    return newcomer.isSecure ? (this.nodes.find((node) => !node.isSecure) ?? null) : null;
  }

  /** Keeps a newcomer for when a place is free. */
  keepForLater(newcomer: TableNode): void {
    const { host } = newcomer.contact;
    const known = this.replacements.findIndex((node) => node.contact.host === host);
    if (known >= 0) this.replacements.splice(known, 1);
    this.replacements.push(newcomer);
    if (this.replacements.length > BUCKET_NODES) this.replacements.shift();
  }
}
