/** Getting and putting items in one family (BEP 44). */
import { equalBytes } from '../../units/index.ts';
import type { DhtItem, DhtReply } from '../../wire/index.ts';
import type { DhtNode } from './dht-node.ts';
import { type ItemPorts, isAuthentic, targetOf } from './item-store.ts';
import type { Candidate } from './lookup.ts';

/** Which item. */
export type ItemName =
  | { readonly kind: 'immutable'; readonly target: Uint8Array }
  | {
      readonly kind: 'mutable';
      readonly publicKey: Uint8Array;
      /** Empty for none. */
      readonly salt: Uint8Array;
      readonly target: Uint8Array;
    };

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

/** Looks an item up. What is not authentic is ignored. */
export function searchItem(
  node: DhtNode,
  ports: ItemPorts,
  { name, onDone }: { readonly name: ItemName; readonly onDone: (found: ItemSearchResult) => void },
): void {
  let best: DhtItem | null = null;
  const { target } = name;
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
  const name: ItemName =
    item.kind === 'immutable'
      ? { kind: 'immutable', target }
      : { kind: 'mutable', publicKey: item.publicKey, salt: item.salt, target };
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

function itemOf({ item, sequence }: DhtReply, name: ItemName): DhtItem | null {
  if (!item) return null;
  const { value, signed } = item;
  if (name.kind === 'immutable') return { kind: 'immutable', value };
  if (!signed || sequence === null) return null;
  return { kind: 'mutable', value, salt: name.salt, sequence, ...signed };
}

function isLater(item: DhtItem, than: DhtItem): boolean {
  if (item.kind !== 'mutable' || than.kind !== 'mutable') return false;
  return item.sequence > than.sequence;
}
