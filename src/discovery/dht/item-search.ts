/** Getting and putting items in one family (BEP 44). */
import { equalBytes } from '../../units/index.ts';
import type { DhtItem, DhtReply } from '../../wire/index.ts';
import type { DhtNode } from './dht-node.ts';
import { type ItemPorts, isAuthentic, targetOf } from './item-store.ts';
import type { Candidate } from './lookup.ts';

/** Which item: what is found there says itself whether it is mutable, and by which key. */
export interface ItemName {
  /** 20 bytes. */
  readonly target: Uint8Array;
  /** Of a mutable item, which replies do not repeat; empty for none. */
  readonly salt: Uint8Array;
}

/** An item found, and the nodes nearest to it, with what is needed to write there. */
export interface ItemSearchResult {
  /** Of a mutable item the one with the largest sequence number. */
  readonly item: DhtItem | null;
  readonly closest: readonly Candidate[];
}

/** A `put`. */
export interface ItemPut {
  readonly item: DhtItem;
  /** Only over this sequence number (compare and swap). */
  readonly expectedSequence: bigint | null;
  /** How many nodes took it, and what the others said. */
  readonly onDone: (result: ItemPutResult) => void;
}

/** What came of a `put`. */
export interface ItemPutResult {
  readonly storedCount: number;
  /** Codes of `KRPC_ERROR` that came back. */
  readonly errorCodes: readonly number[];
}

const NO_SALT = new Uint8Array();

/** Looks an item up. What is not authentic is ignored. */
export function searchItem(
  node: DhtNode,
  ports: ItemPorts,
  { name, onDone }: { readonly name: ItemName; readonly onDone: (found: ItemSearchResult) => void },
): void {
  const { target } = name;
  // We may be one of those who keep it.
  let best = node.items.get(target);
  node.searches.start({
    target,
    query: { method: 'get', target, want: null, sequence: null },
    onReply: (reply) => {
      const item = itemOf(reply, name);
      if (!item || !equalBytes(targetOf(item, ports.sha1), target)) return;
      if (best && !isLater(item, best)) return;
      if (isAuthentic(item, ports)) best = item;
    },
    onDone: (lookup) => onDone({ item: best, closest: lookup.closest(node.now) }),
  });
}

/** Puts an item to the nodes nearest to where it belongs. */
export function putItem(node: DhtNode, ports: ItemPorts, put: ItemPut): void {
  const { item, expectedSequence } = put;
  const target = targetOf(item, ports.sha1);
  const name = { target, salt: item.kind === 'mutable' ? item.salt : NO_SALT };
  const onDone = ({ closest }: ItemSearchResult): void => {
    const takers = closest.filter(({ token }) => token !== null);
    const errorCodes: number[] = [];
    let storedCount = 0;
    let openCount = takers.length;
    if (openCount === 0) put.onDone({ storedCount, errorCodes });
    for (const { contact, token } of takers) {
      if (!token) continue;
      node.ask({
        to: contact,
        expectedId: contact.id,
        query: { method: 'put', token, item, expectedSequence },
        onOutcome: (outcome) => {
          if (outcome.kind === 'reply') storedCount++;
          if (outcome.kind === 'error') errorCodes.push(outcome.code);
          if (--openCount === 0) put.onDone({ storedCount, errorCodes });
        },
      });
    }
  };
  searchItem(node, ports, { name, onDone });
}

function itemOf({ item, sequence }: DhtReply, { salt }: ItemName): DhtItem | null {
  if (!item) return null;
  const { value, signed } = item;
  if (!signed) return { kind: 'immutable', value };
  return sequence === null ? null : { kind: 'mutable', value, salt, sequence, ...signed };
}

function isLater(item: DhtItem, than: DhtItem): boolean {
  if (item.kind !== 'mutable' || than.kind !== 'mutable') return false;
  return item.sequence > than.sequence;
}
