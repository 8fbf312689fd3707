/** Our tracker introduces our nodes to each other, and says how many they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestTree, writeRandomFile } from '../support/files.ts';
import { makeDesk } from './run.ts';

for (const protocol of ['http', 'udp']) {
  test(`a download finds its seed by the ${protocol} tracker, and scrape counts them`, async () => {
    await using desk = await makeDesk(`tracker-${protocol}`);
    const tracker = desk.start(['tracker', '--host', '127.0.0.1', '--port', '0', '--json']);
    const { announceUrls } = await tracker.waitForLine((line) => line['event'] === 'listening');
    const url = (announceUrls as readonly string[]).find((one) => one.startsWith(protocol)) ?? '';
    await writeRandomFile(desk.at('source', 'a.bin'), 500_000);
    const torrent = desk.at('a.torrent');
    const made = await desk.run([
      ...['create', desk.at('source', 'a.bin'), '--out', torrent, '--tracker', url],
    ]);
    assert.equal(made.code, 0, made.stderr);
    const seeder = desk.start(
      ['seed', torrent, '--from', desk.at('source'), '--port', '0', '--json'],
      'seed-home',
    );
    await seeder.waitForLine((line) => line['event'] === 'tracker' && line['isFailure'] === false);
    const ended = await desk.run([
      ...['download', torrent, '--to', desk.at('copy'), '--port', '0', '--json'],
    ]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await digestTree(desk.at('copy')), await digestTree(desk.at('source')));
    const scraped = await desk.run(['tracker', 'scrape', torrent, '--json']);
    assert.equal(scraped.code, 0, scraped.stderr);
    const trackers = scraped.summary['trackers'] as readonly Record<string, unknown>[];
    assert.equal(trackers[0]?.['seeders'], 1);
    assert.equal(trackers[0]?.['completed'], 1);
    assert.equal((await tracker.stop('SIGINT')).code, 0, tracker.output());
  });
}

test('--add-tracker announces to one that the torrent does not name; nonsense is one line', async () => {
  await using desk = await makeDesk('tracker-added');
  const tracker = desk.start(['tracker', '--host', '127.0.0.1', '--port', '0', '--json']);
  const { announceUrls } = await tracker.waitForLine((line) => line['event'] === 'listening');
  const [url = ''] = announceUrls as readonly string[];
  await writeRandomFile(desk.at('source', 'a.bin'), 500_000);
  const torrent = desk.at('a.torrent');
  const made = await desk.run(['create', desk.at('source', 'a.bin'), '--out', torrent]);
  assert.equal(made.code, 0, made.stderr);
  const added = ['--port', '0', '--json', '--add-tracker', url];
  const seeder = desk.start(['seed', torrent, '--from', desk.at('source'), ...added], 'seed-home');
  await seeder.waitForLine((line) => line['event'] === 'tracker' && line['isFailure'] === false);
  const ended = await desk.run(['download', torrent, '--to', desk.at('copy'), ...added]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await digestTree(desk.at('copy')), await digestTree(desk.at('source')));
  const bad = ['--add-tracker', 'http:/tracker.test/PASSKEY'];
  const refused = await desk.run(['download', torrent, '--to', desk.at('copy'), ...bad]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^bidwidth: '[^\n]*' is not a tracker's URL[^\n]*\n$/);
  assert.doesNotMatch(refused.stderr, /PASSKEY/);
});

test('scraping a tracker that is not there fails in one line', async () => {
  await using desk = await makeDesk('tracker-none');
  await writeRandomFile(desk.at('a.bin'), 100);
  const torrent = desk.at('a.torrent');
  const tracker = 'http://127.0.0.1:9/announce';
  await desk.run(['create', desk.at('a.bin'), '--out', torrent, '--tracker', tracker]);
  const ended = await desk.run(['tracker', 'scrape', torrent, '--json']);
  assert.equal(ended.code, 1);
  assert.equal(ended.summary['ok'], false);
});
