/** The ledger's tables. Amounts are decimal text in atto, because SQLite has no larger integers. */

/** Steps from an empty file to today's tables. Never change one that was released; append. */
export const LEDGER_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- Our own allotments, written before they are sent.
  CREATE TABLE allotment (
    id TEXT PRIMARY KEY,
    payer TEXT NOT NULL,
    salt TEXT NOT NULL,
    root TEXT NOT NULL,
    sum TEXT NOT NULL,
    expiry INTEGER NOT NULL,
    signer TEXT NOT NULL,
    depth INTEGER NOT NULL,
    lane_count INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Their lanes, and how far we have signed. Empty for an allotment found on the chain alone.
  CREATE TABLE lane (
    allotment TEXT NOT NULL REFERENCES allotment (id),
    lane INTEGER NOT NULL,
    payee TEXT NOT NULL,
    cap TEXT NOT NULL,
    signed TEXT NOT NULL,
    PRIMARY KEY (allotment, lane)
  ) STRICT, WITHOUT ROWID;

  -- Lanes of others toward us, each with its best voucher.
  CREATE TABLE earning (
    allotment TEXT NOT NULL,
    lane INTEGER NOT NULL,
    offer TEXT NOT NULL,
    best TEXT NOT NULL,
    signature BLOB NOT NULL,
    state TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (allotment, lane)
  ) STRICT, WITHOUT ROWID;

  -- What was paid and earned, by torrent and remote.
  CREATE TABLE traffic (
    side TEXT NOT NULL,
    torrent_key TEXT NOT NULL,
    remote TEXT NOT NULL,
    account TEXT NOT NULL,
    amount TEXT NOT NULL,
    byte_count INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (side, torrent_key, remote, account)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount TEXT NOT NULL,
    fee TEXT NOT NULL,
    subject TEXT NOT NULL,
    transaction_hash TEXT NOT NULL
  ) STRICT;

  -- Every transaction, written before it is broadcast.
  CREATE TABLE sent (
    hash TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    nonce INTEGER NOT NULL,
    raw TEXT NOT NULL,
    purpose TEXT NOT NULL,
    depth INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sent_by_nonce ON sent (account, nonce);
  `,
];
