/**
 * The layers of `src/`, once, as data. The import rules, the graph in ARCHITECTURE.md, the check
 * that the torrent client compiles without money, and the tidy rules are all made from this table.
 */

/** One folder of `src/`. */
export interface Layer {
  readonly name: string;
  /** What it is, in the words of ARCHITECTURE.md. */
  readonly purpose: string;
  /** The layers it may import, by name. Its own files it may always import. */
  readonly mayImport: readonly string[];
  /** `none` and `ports` layers are pure: no clock, randomness, sockets or `node:` modules. */
  readonly io: 'none' | 'ports' | 'fetch' | 'yes';
  /** The file other layers and the outside enter by. */
  readonly door: 'index.ts' | 'main.ts';
  /**
   * Its folders have doors of their own, so that one loads only what one uses: importing the whole
   * of `platform` would load HTTP server, database and keystore into a plain download.
   */
  readonly hasParts?: true;
  /** Tests of every layer may import it, whatever their layer may import. */
  readonly isForTests?: true;
  /** Imports allowed only from some of the layer's files: layer name to a path prefix inside it. */
  readonly onlyFrom?: Readonly<Record<string, string>>;
}

/** Every layer, lowest first: a layer imports only layers written above it. */
export const LAYERS: readonly Layer[] = [
  {
    name: 'units',
    purpose: 'bytes, BTT amounts, time, rates, bitfields, errors, assertions',
    mayImport: [],
    io: 'none',
    door: 'index.ts',
  },
  {
    name: 'wire',
    purpose: 'every byte format: bencode, metainfo, magnet, peer messages, trackers, extensions',
    mayImport: ['units'],
    io: 'none',
    door: 'index.ts',
  },
  {
    name: 'payment',
    purpose: 'allotments, lanes, vouchers, EIP-712 digests, signatures, the rules of the ledger',
    mayImport: ['units'],
    io: 'none',
    door: 'index.ts',
  },
  {
    name: 'market',
    purpose: 'decisions: bids, asks, clearing price, budgets, upload shares',
    mayImport: ['units'],
    io: 'none',
    door: 'index.ts',
  },
  {
    name: 'engine',
    purpose: 'swarms, peers, picker, requests, choker, verification; knows nothing of money',
    mayImport: ['units', 'wire'],
    io: 'ports',
    door: 'index.ts',
  },
  {
    name: 'discovery',
    purpose: 'who else is there: trackers, the DHT, neighbours',
    mayImport: ['units', 'wire'],
    io: 'ports',
    door: 'index.ts',
  },
  {
    name: 'exchange',
    purpose: 'where money meets bytes: a BEP 10 extension joining engine, market and payment',
    mayImport: ['units', 'wire', 'payment', 'market', 'engine'],
    io: 'ports',
    door: 'index.ts',
  },
  {
    name: 'tracker',
    purpose: 'the server side of announcing: announce table, scrape, limits',
    mayImport: ['units', 'wire'],
    io: 'ports',
    door: 'index.ts',
  },
  {
    name: 'api',
    purpose: 'the HTTP contract: routes, schemas, typed client; runs in a browser',
    mayImport: ['units'],
    io: 'fetch',
    door: 'index.ts',
  },
  {
    name: 'sim',
    purpose: 'whole swarms on a virtual clock and network, replayed from a seed',
    mayImport: [
      'units',
      'wire',
      'payment',
      'market',
      'engine',
      'discovery',
      'exchange',
      'tracker',
      'api',
    ],
    io: 'none',
    door: 'index.ts',
    hasParts: true,
    isForTests: true,
  },
  {
    name: 'chain',
    purpose: 'JSON-RPC, contract bindings, nonces, events, the embedded chain',
    mayImport: ['units', 'payment'],
    io: 'yes',
    door: 'index.ts',
    hasParts: true,
  },
  {
    name: 'platform',
    purpose: 'sockets, disk, real clock',
    mayImport: ['units', 'wire', 'engine', 'discovery', 'tracker'],
    io: 'yes',
    door: 'index.ts',
    hasParts: true,
  },
  {
    name: 'daemon',
    purpose: 'composition root: configuration, wallet, money ledger, life-cycle',
    mayImport: [
      'units',
      'wire',
      'payment',
      'market',
      'engine',
      'discovery',
      'exchange',
      'tracker',
      'api',
      'chain',
      'platform',
    ],
    io: 'yes',
    door: 'index.ts',
    hasParts: true,
  },
  {
    name: 'cli',
    purpose: 'commands and printing',
    mayImport: ['units', 'api', 'sim', 'daemon'],
    io: 'yes',
    door: 'main.ts',
    onlyFrom: { sim: 'simulate' },
  },
];

/** The layers that do no I/O of their own and compile under tsconfig.pure.json. */
export const PURE_LAYERS: readonly string[] = LAYERS.filter(
  (layer) => layer.io === 'none' || layer.io === 'ports',
).map((layer) => layer.name);

/** The layers about money. The client must work with their folders deleted. */
export const MONEY_LAYERS: readonly string[] = ['payment', 'market', 'exchange', 'chain'];

/** The layers that must compile and pass their tests without the money layers. */
export const MONEY_FREE_LAYERS: readonly string[] = ['engine', 'discovery', 'tracker', 'platform'];

/** npm packages a pure layer may import: arithmetic and hashing, nothing that touches the world. */
export const PURE_PACKAGES: readonly string[] = ['@noble/curves', '@noble/hashes'];
