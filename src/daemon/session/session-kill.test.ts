import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SessionTorrent } from './index.ts';
import { makeFolder, torrentOf } from './testing/session-scene.ts';

const CHILD = fileURLToPath(new URL('testing/session-child.ts', import.meta.url));

interface Line {
  readonly event: string;
  readonly torrent?: string;
  readonly port?: number;
  readonly torrents?: readonly SessionTorrent[];
}

/** A session in a process of its own. */
class Node {
  readonly lines: Line[] = [];
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #wake = (): void => {};

  constructor(t: TestContext, home: string, downloadLimit = Infinity, ...watched: string[]) {
    const args = [CHILD, home, `${downloadLimit}`, ...watched];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => this.kill());
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      this.lines.push(JSON.parse(text) as Line);
      this.#wake();
    });
  }

  say(command: object): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  async until(matches: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(matches);
      if (found) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  event(name: string): Promise<Line> {
    return this.until((line) => line.event === name);
  }

  /** What it knows now. */
  async list(): Promise<readonly SessionTorrent[]> {
    const before = this.lines.length;
    this.say({ list: true });
    const line = await this.until(
      (one) => one.event === 'list' && this.lines.indexOf(one) >= before,
    );
    return line.torrents ?? [];
  }

  /** Ends it as it should end. */
  async close(): Promise<void> {
    this.say({ close: true });
    await this.event('closed');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** A torrent of `sizeBytes` random bytes whose data lies in `root`. */
function contentIn(
  root: string,
  sizeBytes: number,
): { torrent: string; key: string; content: Uint8Array } {
  const content = randomBytes(sizeBytes);
  fs.mkdirSync(root, { recursive: true });
  fs.writeFileSync(join(root, 'content'), content);
  const { bytes, key } = torrentOf('content', content);
  return { torrent: Buffer.from(bytes).toString('base64'), key, content };
}

test('killed while it downloads, a node goes on where it was and hashes nothing again', async (t) => {
  const { path, remove } = makeFolder();
  t.after(remove);
  const { torrent, key, content } = contentIn(join(path, 'from'), 12 * 2 ** 20);
  const seed = new Node(t, join(path, 'seed'));
  seed.say({ add: { torrent, root: join(path, 'from'), peer: null } });
  await seed.event('complete');
  const { port } = await seed.event('open');

  const home = join(path, 'leech');
  const root = join(path, 'to');
  const first = new Node(t, home, 3 * 2 ** 20);
  first.say({ add: { torrent, root, peer: port } });
  // The first piece makes a record; about a second later it is on the disk.
  await first.until((line) => line.event === 'resume' && line.torrent === key);
  await sleep(1_500);
  await first.kill();

  const second = new Node(t, home);
  const { torrents } = await second.event('open');
  assert.equal(torrents?.[0]?.key, key);
  await second.event('started');
  const [started] = await second.list();
  assert.ok((started?.haveBytes ?? 0) > 0, 'progress was remembered');
  const isChecking = second.lines.some((line) => line.event === 'checking');
  assert.equal(isChecking, false, 'nothing was hashed again');
  await second.event('complete');
  assert.ok(fs.readFileSync(join(root, 'content')).equals(content));
});

test('killed while it moves a torrent, a node moves it to the end when it is opened', async (t) => {
  const { path, remove } = makeFolder();
  t.after(remove);
  const far = fs.mkdtempSync(join(fs.existsSync('/dev/shm') ? '/dev/shm' : path, 'bidwidth-far-'));
  t.after(() => fs.rmSync(far, { recursive: true, force: true }));
  const home = join(path, 'home');
  const places = [join(path, 'from'), far, join(path, 'near')];
  const { torrent, key, content } = contentIn(join(path, 'from'), 16 * 2 ** 20);
  const isWhole = (root: string): boolean => {
    const file = join(root, 'content');
    return fs.existsSync(file) && fs.readFileSync(file).equals(content);
  };
  const first = new Node(t, home);
  first.say({ add: { torrent, root: join(path, 'from'), peer: null } });
  await first.event('complete');
  await first.close();
  for (let round = 1; round < 4; round++) {
    const to = places[round % 3] ?? far;
    const node = new Node(t, home);
    await node.event('open');
    node.say({ relocate: { key, to } });
    await sleep(Math.random() * 50);
    await node.kill();
    assert.ok(places.some(isWhole), `round ${round}: no place is whole`);
    const again = new Node(t, home);
    await again.event('open');
    // Killed before it heard of it, it is told again.
    again.say({ relocate: { key, to } });
    await again.event('relocated');
    const [after] = await again.list();
    assert.equal(after?.root, to);
    assert.deepEqual(
      places.map((place) => fs.existsSync(join(place, 'content'))),
      places.map((place) => place === to),
    );
    assert.ok(isWhole(to));
    await again.close();
  }
});

test('killed at any moment, a session opens with all that was added a second before', async (t) => {
  const { path, remove } = makeFolder();
  t.after(remove);
  const home = join(path, 'home');
  const sure = new Set<string>();
  for (let round = 0; round < 4; round++) {
    const node = new Node(t, home);
    const { torrents } = await node.event('open');
    const known = new Set(torrents?.map((one) => one.key));
    for (const key of sure) assert.ok(known.has(key), `round ${round}: ${key} was lost`);
    const begun = performance.now();
    const added: { key: string; at: number }[] = [];
    const liveMs = 300 + Math.random() * 1_500;
    while (performance.now() - begun < liveMs) {
      const content = randomBytes(20_000);
      const { bytes, key } = torrentOf('content', content);
      const count = node.lines.length;
      node.say({ add: { torrent: Buffer.from(bytes).toString('base64'), root: path, peer: null } });
      await node.until((line) => line.event === 'added' && node.lines.indexOf(line) >= count);
      added.push({ key, at: performance.now() });
    }
    const killedAt = performance.now();
    await node.kill();
    for (const { key, at } of added) if (killedAt - at > 1_500) sure.add(key);
  }
});

test('killed again and again, a node adds what comes to its watch folder once, and all', async (t) => {
  const { path, remove } = makeFolder();
  t.after(remove);
  const [home, folder] = [join(path, 'home'), join(path, 'watched')];
  fs.mkdirSync(folder);
  const keys = new Set<string>();
  for (let round = 0; round < 5; round++) {
    for (let nth = 0; nth < 20; nth++) {
      const { bytes, key } = torrentOf('content', randomBytes(20_000));
      fs.writeFileSync(join(folder, `${round}-${nth}.torrent`), bytes);
      keys.add(key);
    }
    const node = new Node(t, home, Infinity, folder);
    await node.event('open');
    if (round > 0) await node.event('watch added');
    await sleep(Math.random() * 100);
    await node.kill();
  }
  const node = new Node(t, home, Infinity, folder);
  await node.event('open');
  while (fs.readdirSync(folder).some((name) => name.endsWith('.torrent'))) await sleep(50);
  const found = await node.list();
  assert.deepEqual(new Set(found.map(({ key }) => key)), keys);
  assert.equal(found.length, keys.size);
  const names = fs.readdirSync(folder);
  assert.equal(names.filter((name) => name.endsWith('.added')).length, keys.size);
});
