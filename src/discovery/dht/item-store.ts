/** The items others put with us (BEP 44). */
import { equalBytes, type Instant, toHex } from '../../units/index.ts';
import {
  compareDistance,
  type DhtItem,
  ITEM_SALT_BYTES_MAX,
  ITEM_VALUE_BYTES_MAX,
  immutableTarget,
  KRPC_ERROR,
  mutableTarget,
  type Sha1,
  signedBytes,
} from '../../wire/index.ts';

/** Items kept (libtorrent's default). */
const ITEMS_MAX = 700;

/** An item is kept for so long after it was last put (BEP 44). */
const ITEM_MS = 2 * 3_600_000;

/** Whether a signature over `message` is by the key. ed25519, 64 and 32 bytes. */
export type VerifySignature = (
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
) => boolean;

/** What came of a `put`. A refusal goes back as an error message. */
export type PutOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: number; readonly text: string };

interface StoredItem {
  readonly item: DhtItem;
  readonly target: Uint8Array;
  until: number;
}

/** What a `put` comes with, and who we are. */
export interface PutContext {
  readonly expectedSequence: bigint | null;
  readonly localId: Uint8Array;
  readonly now: Instant;
}

/** What deciding about items needs. */
export interface ItemPorts {
  readonly sha1: Sha1;
  readonly verify: VerifySignature;
}

/** Where an item belongs. */
export function targetOf(item: DhtItem, sha1: Sha1): Uint8Array {
  return item.kind === 'immutable'
    ? immutableTarget(item.value, sha1)
    : mutableTarget(item.publicKey, item.salt, sha1);
}

/** Whether a mutable item is signed by its key; an immutable one always is right. */
export function isAuthentic(item: DhtItem, { verify }: ItemPorts): boolean {
  return item.kind === 'immutable' || verify(item.signature, signedBytes(item), item.publicKey);
}

/** Items by target. When it is full, those farthest from our id go. */
export class ItemStore {
  readonly #items = new Map<string, StoredItem>();
  readonly #ports: ItemPorts;

  constructor(ports: ItemPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Where an item belongs. */
  targetOf(item: DhtItem): Uint8Array {
    return targetOf(item, this.#ports.sha1);
  }

  get(target: Uint8Array): DhtItem | null {
    return this.#items.get(toHex(target))?.item ?? null;
  }

  /** Checks and keeps. The caller has checked the token. */
  put(item: DhtItem, context: PutContext): PutOutcome {
    const target = this.targetOf(item);
    const key = toHex(target);
    const stored = this.#items.get(key)?.item ?? null;
    const refused = refusalOf(item, stored, context.expectedSequence);
    if (refused) return refused;
    if (!isAuthentic(item, this.#ports)) return refusal('signatureInvalid', 'invalid signature');
    this.#items.set(key, { item, target, until: context.now + ITEM_MS });
    if (this.#items.size > ITEMS_MAX) this.#dropFarthest(context.localId);
    return { ok: true };
  }

  expire(now: Instant): void {
    for (const [key, { until }] of this.#items) if (until <= now) this.#items.delete(key);
  }

  #dropFarthest(localId: Uint8Array): void {
    let farthest: StoredItem | null = null;
    for (const stored of this.#items.values()) {
      if (!farthest || compareDistance(localId, stored.target, farthest.target) > 0) {
        farthest = stored;
      }
    }
    if (farthest) this.#items.delete(toHex(farthest.target));
  }
}

/** Why an item is not kept, apart from its signature, which is checked last: it costs most. */
function refusalOf(
  item: DhtItem,
  stored: DhtItem | null,
  expectedSequence: bigint | null,
): PutOutcome | null {
  if (item.value.length > ITEM_VALUE_BYTES_MAX) return refusal('valueTooBig', 'value too big');
  if (item.kind !== 'mutable') return null;
  if (item.salt.length > ITEM_SALT_BYTES_MAX) return refusal('saltTooBig', 'salt too big');
  if (stored?.kind !== 'mutable') return null;
  if (expectedSequence !== null && expectedSequence !== stored.sequence) {
    return refusal('casMismatch', 'the sequence number is another one');
  }
  const isSame = item.sequence === stored.sequence && equalBytes(item.value, stored.value);
  const isLater = item.sequence > stored.sequence;
  return isLater || isSame ? null : refusal('sequenceTooLow', 'there is a later one');
}

function refusal(name: keyof typeof KRPC_ERROR, text: string): PutOutcome {
  return { ok: false, code: KRPC_ERROR[name], text };
}
