import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '../../units/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { AddRequest, Session } from './index.ts';
import { makeFolder, openFake, seedIn, torrentOf } from './testing/session-scene.ts';

function folder(t: TestContext): string {
  const { path, remove } = makeFolder();
  t.after(remove);
  return path;
}

/** A request for a torrent of its own content; `isHere` puts the file in place. */
function request(root: string, name: string, isHere = false): AddRequest & { key: string } {
  if (isHere) return seedIn(root, name);
  const content = new Uint8Array(40_000).fill(name.charCodeAt(0));
  const { bytes, key } = torrentOf(name, content);
  return { source: { kind: 'metainfo', bytes }, root, key };
}

function states(session: Session): Record<string, string> {
  return Object.fromEntries(session.list().map(({ name, state }) => [name, state]));
}

test('what is added is still there after a restart, in its place', async (t) => {
  const home = folder(t);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => request(home, name, name === 'c'));
  assert.ok(a && b && c);
  const first = await openFake(t, home);
  const outcomes = await first.session.add([a, b, c]);
  assert.deepEqual(
    outcomes,
    [a, b, c].map(({ key }) => ({ ok: true, key })),
  );
  first.session.move([b.key], 'top');
  await first.session.pause([a.key]);
  await first.session.close();

  const { session, transfer } = await openFake(t, home);
  assert.deepEqual(states(session), { b: 'working', a: 'paused', c: 'asleep' });
  assert.deepEqual([...transfer.working.keys()], [b.key]);
  assert.deepEqual([...transfer.asleep], [c.key]);
  assert.deepEqual(transfer.working.get(b.key)?.source, b.source);
});

test('a hundred complete torrents are handed over in one message, none of them read', async (t) => {
  const home = folder(t);
  const requests = Array.from({ length: 100 }, (_, nth) => request(home, `file ${nth}`, true));
  const first = await openFake(t, home);
  await first.session.add(requests);
  await first.session.close();
  fs.rmSync(join(home, 'file 7'));
  const { transfer } = await openFake(t, home);
  assert.deepEqual(transfer.calls, ['addSleeping 100']);
});

test('a sleeping torrent that a peer asks for is woken, and must still be complete', async (t) => {
  const home = folder(t);
  const seed = request(home, 'seed', true);
  const { session, transfer } = await openFake(t, home);
  await session.add([seed]);
  transfer.tell(seed.key, { kind: 'wanted' });
  assert.deepEqual(states(session), { seed: 'working' });
  await session.setSequential(seed.key, true);
  const spec = transfer.working.get(seed.key);
  assert.equal(spec?.mustBeComplete, true);
  assert.equal(spec?.resume?.infoHash, seed.key);
  transfer.tell(seed.key, { kind: 'asleep' });
  assert.deepEqual(states(session), { seed: 'asleep' });
});

// Found by a soak: the answer of a thread that had just let it sleep came out as a failure.
test('a torrent that falls asleep while it is changed takes the change with it', async (t) => {
  const home = folder(t);
  const seed = request(home, 'seed', true);
  const { session, transfer } = await openFake(t, home);
  await session.add([seed]);
  transfer.tell(seed.key, { kind: 'wanted' });
  t.mock.method(transfer, 'setSequential', async () => {
    transfer.tell(seed.key, { kind: 'asleep' });
    throw new DaemonError('DAEMON_TORRENT_UNKNOWN', 'there is no such torrent here');
  });
  await session.setSequential(seed.key, true);
  assert.equal(session.get(seed.key)?.isSequential, true);
  transfer.tell(seed.key, { kind: 'wanted' });
  await session.pause([]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(transfer.working.get(seed.key)?.isSequential, true);
});

test('a refusal of a torrent that is still at work is told', async (t) => {
  const home = folder(t);
  const one = request(home, 'one');
  const { session, transfer } = await openFake(t, home);
  await session.add([one]);
  const refusal = new DaemonError('DAEMON_FILE_UNKNOWN', 'it has one file');
  t.mock.method(transfer, 'prioritiseFiles', async () => {
    throw refusal;
  });
  await assert.rejects(session.prioritise(one.key, [1, 2]), refusal);
});

test('a seed whose file has gone fails, and downloads again once it is resumed', async (t) => {
  const home = folder(t);
  const seed = request(home, 'seed', true);
  const { session, transfer } = await openFake(t, home);
  await session.add([seed]);
  transfer.tell(seed.key, { kind: 'wanted' });
  transfer.tell(seed.key, { kind: 'failed', code: 'X', line: 'the file is gone' });
  assert.equal(session.get(seed.key)?.failure, 'the file is gone');
  assert.deepEqual(states(session), { seed: 'failed' });
  await session.resume([seed.key]);
  assert.equal(transfer.working.get(seed.key)?.mustBeComplete, false);
});

test('a torrent waits for its disk, tries at once when it is resumed, and goes on', async (t) => {
  const home = folder(t);
  const one = request(home, 'one');
  const { session, transfer } = await openFake(t, home);
  await session.add([one]);
  transfer.tell(one.key, { kind: 'waiting', code: 'X', line: 'the disk is full' });
  assert.deepEqual(states(session), { one: 'waiting' });
  assert.equal(session.get(one.key)?.trouble, 'the disk is full');
  await session.resume([one.key]);
  assert.equal(transfer.calls.at(-1), `retry ${one.key.slice(0, 4)}`);
  transfer.tell(one.key, { kind: 'started', goodPieces: 0, pieceCount: 3 });
  assert.deepEqual(states(session), { one: 'working' });
  assert.equal(session.get(one.key)?.trouble, null);
});

test('a torrent said to be complete is not believed when a length is wrong', async (t) => {
  const home = folder(t);
  const seed = request(home, 'seed', true);
  fs.truncateSync(join(home, 'seed'), 39_999);
  const { session, transfer } = await openFake(t, home);
  await session.add([seed]);
  assert.deepEqual([...transfer.working.keys()], [seed.key]);
  assert.equal(transfer.working.get(seed.key)?.resume, null);
});

test('three downloads work at a time; the next begins when one is done', async (t) => {
  const home = folder(t);
  const { session, transfer } = await openFake(t, home);
  const requests = ['a', 'b', 'c', 'd'].map((name) => request(home, name));
  await session.add(requests);
  assert.deepEqual(states(session), { a: 'working', b: 'working', c: 'working', d: 'queued' });
  transfer.tell(requests[1]?.key ?? '', { kind: 'complete' });
  assert.equal(states(session)['d'], 'working');
  assert.equal(states(session)['b'], 'working');
  session.move([requests[0]?.key ?? ''], 'bottom');
  assert.equal(states(session)['a'], 'working');
});

test('the queue is changed by moving: the last of four takes a place at the top', async (t) => {
  const home = folder(t);
  const { session } = await openFake(t, home);
  const requests = ['a', 'b', 'c', 'd'].map((name) => request(home, name));
  await session.add(requests);
  session.move([requests[3]?.key ?? ''], 'top');
  assert.deepEqual(states(session), { d: 'working', a: 'working', b: 'working', c: 'queued' });
});

test('a torrent that is removed is forgotten, and may be added anew', async (t) => {
  const home = folder(t);
  const first = await openFake(t, home);
  const one = request(home, 'a');
  await first.session.add([one]);
  await first.session.remove([one.key]);
  assert.deepEqual(first.session.list(), []);
  const again = await first.session.add([{ ...one, isPaused: true }]);
  assert.deepEqual(again, [{ ok: true, key: one.key }]);
  await first.session.close();
  const { session } = await openFake(t, home);
  assert.deepEqual(states(session), { a: 'paused' });
});

test('what cannot be added says why, and does not keep others out', async (t) => {
  const home = folder(t);
  const { session } = await openFake(t, home);
  const good = request(home, 'a');
  const bad: AddRequest = { source: { kind: 'metainfo', bytes: new Uint8Array(3) }, root: home };
  const outcomes = await session.add([bad, good, good]);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code.split('_')[0])),
    ['WIRE', 'ok', 'DAEMON'],
  );
  const isUnknown = (failure: unknown): boolean =>
    failure instanceof AppError && failure.code === 'DAEMON_TORRENT_UNKNOWN';
  await assert.rejects(session.pause(['00']), isUnknown);
  await assert.rejects(session.remove(['00']), isUnknown);
});

test('a magnet that became known starts from its torrent after a restart', async (t) => {
  const home = folder(t);
  const { bytes, key } = torrentOf('film', new Uint8Array(20_000));
  const first = await openFake(t, home);
  const source = { kind: 'magnet', text: `magnet:?xt=urn:btih:${key}` } as const;
  await first.session.add([{ source, root: home }]);
  assert.equal(first.session.get(key)?.name, null);
  const infoBytes = bytes.subarray('d4:info'.length, -1);
  first.transfer.tell(key, { kind: 'metadata', name: 'film', infoBytes });
  await first.session.close();
  const { session, transfer } = await openFake(t, home);
  assert.equal(session.get(key)?.name, 'film');
  assert.equal(session.get(key)?.totalBytes, 20_000);
  assert.deepEqual(transfer.working.get(key)?.source, { kind: 'metainfo', bytes });
});

test('resume records are kept, replaced and forgotten', async (t) => {
  const home = folder(t);
  const one = request(home, 'a');
  const record = (pieces: string) => ({
    ...{ version: 1, infoHash: one.key, root: home, pieceCount: 3, files: [null] },
    pieces,
  });
  const resumeAfter = async (last: ReturnType<typeof record> | null) => {
    const first = await openFake(t, home);
    await first.session.add([one]);
    first.transfer.tell(one.key, { kind: 'resume', record: record('AA==') });
    first.transfer.tell(one.key, { kind: 'resume', record: last });
    await first.session.close();
    const { session, transfer } = await openFake(t, home);
    const resume = transfer.working.get(one.key)?.resume;
    await session.close();
    return resume;
  };
  assert.deepEqual(await resumeAfter(record('gA==')), record('gA=='));
  assert.equal(await resumeAfter(null), null);
});

test("a torrent's own limits are set at once, and again after a restart", async (t) => {
  const home = folder(t);
  const one = request(home, 'a');
  const first = await openFake(t, home);
  await first.session.add([{ ...one, limits: { upload: 5_000 } }]);
  assert.deepEqual(first.transfer.working.get(one.key)?.limits, {
    upload: 5_000,
    download: Infinity,
  });
  await first.session.limit(one.key, { upload: Infinity, download: 7_000 });
  assert.equal(first.transfer.calls.at(-1), `limit ${one.key.slice(0, 4)} Infinity 7000`);
  assert.equal(first.session.get(one.key)?.downloadLimit, 7_000);
  await first.session.close();
  const { transfer } = await openFake(t, home);
  assert.deepEqual(transfer.working.get(one.key)?.limits, { upload: Infinity, download: 7_000 });
});

test('a session that is open keeps a second one out', async (t) => {
  const home = folder(t);
  await openFake(t, home);
  const isLocked = (failure: unknown): boolean =>
    failure instanceof AppError && failure.code === 'DATABASE_LOCKED';
  await assert.rejects(openFake(t, home), isLocked);
});

test('what a magnet link selects is still selected after a restart', async (t) => {
  const home = folder(t);
  const { bytes, key } = torrentOf('film', new Uint8Array(20_000));
  const first = await openFake(t, home);
  const text = `magnet:?xt=urn:btih:${key}&so=0`;
  await first.session.add([{ source: { kind: 'magnet', text }, root: home }]);
  const infoBytes = bytes.subarray('d4:info'.length, -1);
  first.transfer.tell(key, { kind: 'metadata', name: 'film', infoBytes });
  assert.deepEqual(first.session.get(key)?.filePriorities, [4]);
  await first.session.close();
  const { transfer } = await openFake(t, home);
  assert.deepEqual(transfer.working.get(key)?.filePriorities, [4]);
});
