/** Fuzzed bytes as what we stored ourselves: a damaged disk, another program, a careless hand. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPeers, readPriorities, readTiers } from '../../src/daemon/session/index.ts';
import { Database } from '../../src/platform/database/index.ts';
import { loadDhtFile } from '../../src/platform/dht/index.ts';
import { FileLayout, makeResume, parseResume, piecesOf } from '../../src/platform/disk/index.ts';
import { Bitfield } from '../../src/units/index.ts';

/** In memory where there is such: every input is a file. */
const folder: string = mkdtempSync(join(process.platform === 'linux' ? '/dev/shm' : '.', 'fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const layout = new FileLayout(join(folder, 'data'), [
  { path: ['a'], lengthBytes: 10, offsetBytes: 0, isPad: false },
  { path: ['b'], lengthBytes: 10, offsetBytes: 10, isPad: false },
]);
mkdirSync(layout.root);
writeFileSync(join(layout.root, 'a'), 'aaaaaaaaaa');
const target = { infoHash: 'ab', layout, pieceCount: 9 };
const MIGRATIONS = ['CREATE TABLE torrent (key TEXT PRIMARY KEY, trackers TEXT, metainfo BLOB)'];

/** A resume record. Never a failure: what is not understood is hashed again. */
export async function readResume(input: Uint8Array): Promise<unknown> {
  const record = parseResume(Buffer.from(input).toString());
  const pieces = record && (await piecesOf(record, target));
  if (pieces && pieces.size !== target.pieceCount) throw new Error('pieces of another torrent');
  return pieces;
}

/** Lists of the session, one kind after the other. */
export function readSessionLists(input: Uint8Array): unknown {
  const [tiers = '', peers = '', priorities = ''] = Buffer.from(input).toString().split('\n');
  return [readTiers(tiers), readPeers(peers), readPriorities(priorities)];
}

/** A whole SQLite file. */
export function readDatabase(input: Uint8Array): unknown {
  const path = join(folder, 'a.sqlite');
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  writeFileSync(path, input);
  const database = Database.open({ path, migrations: MIGRATIONS });
  try {
    return database.all('SELECT * FROM torrent ORDER BY key');
  } finally {
    database.close();
  }
}

/** The nodes of the DHT that we knew. Never a failure. */
export function readDhtFile(input: Uint8Array): Promise<unknown> {
  const path = join(folder, 'dht.json');
  writeFileSync(path, input);
  return loadDhtFile(path);
}

/** Right ones of each kind. */
export async function storedCorpus(): Promise<{
  readonly resume: readonly string[];
  readonly lists: readonly string[];
  readonly dht: readonly string[];
  readonly database: Uint8Array;
}> {
  const have = new Bitfield(target.pieceCount);
  have.set(3);
  const records = [await makeResume(target, have, false), await makeResume(target, have, true)];
  const nodes = Buffer.alloc(20 + 26, 7).toString('base64');
  const path = join(folder, 'corpus.sqlite');
  const database = Database.open({ path, migrations: MIGRATIONS });
  for (const key of ['a', 'b', 'c']) {
    database.run('INSERT INTO torrent VALUES (?, ?, ?)', key, '[[]]', new Uint8Array(300));
  }
  database.close();
  return {
    resume: records.map((record) => JSON.stringify(record)),
    lists: ['[["http://a/announce"],[]]\n[{"host":"192.0.2.1","port":7}]\n[0,4,7]', '[]\n[]\nnull'],
    dht: [JSON.stringify({ version: 1, v4: nodes, v6: nodes })],
    database: new Uint8Array(readFileSync(path)),
  };
}
