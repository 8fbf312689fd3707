import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Database, DatabaseError, GroupCommit } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'bidwidth-database-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const MIGRATIONS = ['CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT'];
const countNotes = (database: Database) =>
  database.get<{ n: number }>('SELECT count(*) AS n FROM note')?.n;
const codeIs = (code: string) => (error: unknown) =>
  error instanceof DatabaseError && error.code === code;

test('rows written are there after opening again, and the file is private', () => {
  const path = join(folder, 'deep', 'er', 'a.sqlite');
  const first = Database.open({ path, migrations: MIGRATIONS });
  first.run('INSERT INTO note VALUES (?, ?)', 1, 'one');
  first.close();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const second = Database.open({ path, migrations: MIGRATIONS });
  assert.deepEqual({ ...second.get('SELECT * FROM note') }, { id: 1, text: 'one' });
  second.close();
});

test('only the migrations that are missing are run', () => {
  const path = join(folder, 'b.sqlite');
  Database.open({ path, migrations: MIGRATIONS }).close();
  const more = [...MIGRATIONS, 'ALTER TABLE note ADD COLUMN mood TEXT'];
  const later = Database.open({ path, migrations: more });
  later.run('INSERT INTO note VALUES (1, ?, ?)', 'x', 'glad');
  later.close();
  assert.throws(() => Database.open({ path, migrations: MIGRATIONS }), codeIs('DATABASE_NEWER'));
});

test('a database in use by somebody else says so', () => {
  const path = join(folder, 'c.sqlite');
  const first = Database.open({ path, migrations: MIGRATIONS });
  const second = () => Database.open({ path, migrations: MIGRATIONS, lockTimeoutMs: 0 });
  assert.throws(second, codeIs('DATABASE_LOCKED'));
  first.close();
  second().close();
});

test('a file that is no database says so', () => {
  const path = join(folder, 'd.sqlite');
  writeFileSync(path, 'this is a shopping list, and a rather long one at that');
  assert.throws(() => Database.open({ path, migrations: MIGRATIONS }), codeIs('DATABASE_CORRUPT'));
});

test('a full disk says so, and the transaction leaves nothing behind', () => {
  const database = Database.open({ path: join(folder, 'full.sqlite'), migrations: MIGRATIONS });
  database.get('PRAGMA max_page_count = 8');
  const fill = () =>
    database.transaction(() => {
      for (let id = 0; id < 100; id++) {
        database.run('INSERT INTO note VALUES (?, ?)', id, 'x'.repeat(1_000));
      }
    });
  assert.throws(fill, codeIs('DATABASE_FULL'));
  assert.equal(countNotes(database), 0);
  database.run('INSERT INTO note VALUES (1, ?)', 'still usable');
  database.close();
});

test('writes of one turn share one commit, and callbacks come in order after it', async () => {
  const database = Database.open({ path: ':memory:', migrations: MIGRATIONS });
  const group = new GroupCommit(database);
  const order: number[] = [];
  await new Promise<void>((resolve) => {
    for (let id = 0; id < 3; id++) {
      group.add(
        () => database.run('INSERT INTO note VALUES (?, ?)', id, 'n'),
        (error) => {
          assert.equal(error, null);
          assert.equal(countNotes(database), 3);
          if (order.push(id) === 3) resolve();
        },
      );
    }
    assert.deepEqual(order, [], 'nothing is acknowledged in the call itself');
  });
  assert.deepEqual(order, [0, 1, 2]);
});

test('when a group fails, nothing of it is kept and every callback learns why', async () => {
  const database = Database.open({ path: ':memory:', migrations: MIGRATIONS });
  const group = new GroupCommit(database);
  const add = (id: number) =>
    new Promise<Error | null>((resolve) => {
      group.add(() => database.run('INSERT INTO note VALUES (?, ?)', id, 'n'), resolve);
    });
  const [first, second] = await Promise.all([add(7), add(7)]);
  assert.ok(first instanceof DatabaseError && second instanceof DatabaseError);
  assert.equal(countNotes(database), 0);
});

const WRITER = `
  const { Database, GroupCommit } = await import(process.argv[1]);
  const migrations = JSON.parse(process.argv[3]);
  const database = Database.open({ path: process.argv[2], migrations });
  const group = new GroupCommit(database);
  let id = 0;
  const more = () => {
    for (let n = 0; n < 40; n++) {
      const mine = id++;
      group.add(
        () => database.run('INSERT INTO note VALUES (?, ?)', mine, 'n'),
        () => process.stdout.write(mine + '\\n'),
      );
    }
    setImmediate(more);
  };
  more();
`;

test('kill -9 in the middle of writing loses nothing that was acknowledged', async () => {
  const path = join(folder, 'killed.sqlite');
  const door = new URL('./index.ts', import.meta.url).href;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', WRITER, door, path, JSON.stringify(MIGRATIONS)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.length > 20_000) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const acknowledged = output.split('\n').slice(0, -1).map(Number);
  assert.ok(acknowledged.length > 1_000);
  const database = Database.open({ path, migrations: MIGRATIONS });
  const kept = new Set(database.all<{ id: number }>('SELECT id FROM note').map((row) => row.id));
  for (const id of acknowledged) assert.ok(kept.has(id), `note ${id} was acknowledged`);
  database.close();
});
