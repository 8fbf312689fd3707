/** Answering the questions of other nodes (BEP 5, 32, 33, 44, 51). */
import type { Instant } from '../../units/index.ts';
import {
  type DhtItem,
  type DhtQuery,
  type DhtReply,
  EMPTY_REPLY,
  type Endpoint,
  type Family,
  KRPC_ERROR,
  type NodeContact,
  type Sha1,
  type Want,
} from '../../wire/index.ts';
import { isPeerUsable } from './address-rules.ts';
import { BUCKET_NODES } from './bucket.ts';
import type { ItemStore } from './item-store.ts';
import type { PeerStore } from './peer-store.ts';
import type { RoutingTable } from './routing-table.ts';
import type { WriteTokens } from './write-tokens.ts';

/** What goes back: a reply, or an error. `provesAddress` after a token of ours came back. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: DhtReply; readonly provesAddress: boolean }
  | { readonly kind: 'error'; readonly code: number; readonly text: string };

/** What answering draws on. */
export interface ResponderParts {
  readonly family: Family;
  readonly tokens: WriteTokens;
  readonly peers: PeerStore;
  readonly items: ItemStore;
  readonly sha1: Sha1;
  /** The routing table of a family; null when we are not in it. */
  readonly tableOf: (family: Family) => RoutingTable | null;
}

/** Peers in one reply; what does not fit into the packet is left out anyway. */
const PEERS_MAX = 50;

/** Peers in a reply that carries bloom filters too (BEP 33). */
const SCRAPE_PEERS_MAX = 10;

/** Answers one query. Rate and size are the caller's business. */
export class Responder {
  readonly #parts: ResponderParts;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  answer(query: DhtQuery, from: Endpoint, now: Instant): Answer {
    switch (query.method) {
      case 'ping':
        return replied({});
      case 'find_node':
        return replied(this.#nodes(query, now));
      case 'get_peers':
        return this.#getPeers(query, from, now);
      case 'announce_peer':
        return this.#announce(query, from, now);
      case 'get':
        return this.#get(query, from, now);
      case 'put':
        return this.#put(query, from, now);
      case 'sample_infohashes': {
        const samples = this.#parts.peers.sample(now);
        return replied({ ...this.#nodes(query, now), samples });
      }
      case 'unknown': {
        const { target } = query;
        if (!target) return failed(KRPC_ERROR.methodUnknown, 'method unknown');
        return replied(this.#nodes({ target, want: null }, now));
      }
      case 'invalid':
        return failed(KRPC_ERROR.protocol, query.problem);
    }
  }

  #getPeers(
    query: Extract<DhtQuery, { method: 'get_peers' }>,
    { host }: Endpoint,
    now: Instant,
  ): Answer {
    const { peers, tokens, sha1 } = this.#parts;
    const { infoHash, isScrape, noSeeds, want } = query;
    // Without a token nobody announces: this swarm is as large as we can count (BEP 33).
    const token = peers.isOpenTo(infoHash) ? tokens.tokenFor({ host, target: infoHash }) : null;
    const countMax = isScrape ? SCRAPE_PEERS_MAX : PEERS_MAX;
    return replied({
      ...this.#nodes({ target: infoHash, want }, now),
      ...(isScrape ? peers.filters(infoHash, sha1) : null),
      peers: peers.pick({ infoHash, countMax, noSeeds }),
      token,
    });
  }

  #announce(
    query: Extract<DhtQuery, { method: 'announce_peer' }>,
    from: Endpoint,
    now: Instant,
  ): Answer {
    const { peers, tokens } = this.#parts;
    const { host } = from;
    if (!tokens.isValid(query.token, { host, target: query.infoHash })) return badToken();
    const port = query.isPortImplied ? from.port : query.port;
    // Local ones were believed because they announced from the local network themselves.
    if (isPeerUsable({ host, port }, true)) {
      peers.add(query.infoHash, { host, port, isSeed: query.isSeed }, now);
    }
    return { ...replied({}), provesAddress: true };
  }

  #get(query: Extract<DhtQuery, { method: 'get' }>, { host }: Endpoint, now: Instant): Answer {
    const { items, tokens } = this.#parts;
    const { target } = query;
    const found = items.get(target);
    const sequence = found?.kind === 'mutable' ? found.sequence : null;
    const isKnown = query.sequence !== null && sequence !== null && sequence <= query.sequence;
    return replied({
      ...this.#nodes(query, now),
      token: tokens.tokenFor({ host, target }),
      item: found && !isKnown ? itemFields(found) : null,
      sequence,
    });
  }

  #put(query: Extract<DhtQuery, { method: 'put' }>, { host }: Endpoint, now: Instant): Answer {
    const { items, tokens, tableOf, family } = this.#parts;
    const target = items.targetOf(query.item);
    if (!tokens.isValid(query.token, { host, target })) return badToken();
    const { item, expectedSequence } = query;
    const localId = tableOf(family)?.localId ?? target;
    const outcome = items.put(item, { expectedSequence, localId, now });
    if (!outcome.ok) return failed(outcome.code, outcome.text);
    return { ...replied({}), provesAddress: true };
  }

  /** The nearest good nodes in the families that are wanted (BEP 32). */
  #nodes(
    { target, want }: { readonly target: Uint8Array; readonly want: Want },
    now: Instant,
  ): Pick<DhtReply, 'nodes' | 'nodes6'> {
    const families = want && want.length > 0 ? want : [this.#parts.family];
    const of = (family: Family): readonly NodeContact[] => {
      if (!families.includes(family)) return [];
      const table = this.#parts.tableOf(family);
      return (table?.closest(target, BUCKET_NODES, 'good', now) ?? []).map((node) => node.contact);
    };
    return { nodes: of(4), nodes6: of(6) };
  }
}

function itemFields(item: DhtItem): NonNullable<DhtReply['item']> {
  const { value } = item;
  if (item.kind === 'immutable') return { value, signed: null };
  return { value, signed: { publicKey: item.publicKey, signature: item.signature } };
}

function replied(fields: Partial<DhtReply>): Extract<Answer, { kind: 'reply' }> {
  return { kind: 'reply', reply: { ...EMPTY_REPLY, ...fields }, provesAddress: false };
}

function failed(code: number, text: string): Answer {
  return { kind: 'error', code, text };
}

function badToken(): Answer {
  return failed(KRPC_ERROR.protocol, 'bad token');
}
