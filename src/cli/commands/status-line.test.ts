import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atto, parseBtt } from '../../units/index.ts';
import { bar, downloadLine, formatDuration, shortBtt, type TorrentStatus } from './status-line.ts';

const TORRENT: TorrentStatus = {
  key: 'ab'.repeat(20),
  name: 'film',
  phase: 'downloading',
  pieceCount: 100,
  goodPieces: 25,
  totalBytes: 400 * 1024 * 1024,
  haveBytes: 100 * 1024 * 1024,
  wantedBytes: 400 * 1024 * 1024,
  remainingBytes: 300 * 1024 * 1024,
  receivedBytes: 0,
  sentBytes: 0,
  receiveRate: 4 * 1024 * 1024,
  sendRate: 0,
  failedPieces: 0,
  peers: [],
  uploadLimit: Infinity,
  downloadLimit: Infinity,
  knownPeers: 0,
};

test('a download shows share, rate, time left and peers', () => {
  const line = downloadLine({ torrents: [TORRENT], exchange: null }, TORRENT);
  assert.equal(line, ' 25% #####--------------- 4.00 MiB/s, 1:15 left, 0 peers');
});

test('no time is promised while nothing comes, and no share before the size is known', () => {
  const stalled = { ...TORRENT, receiveRate: 0 };
  assert.doesNotMatch(downloadLine({ torrents: [], exchange: null }, stalled), /left/);
  const unknown = { ...TORRENT, totalBytes: 0 };
  const line = downloadLine({ torrents: [], exchange: null }, unknown);
  assert.equal(line, 'asking 0 peers what this torrent is');
});

test('a share is never shown as complete before it is', () => {
  assert.equal(bar(0.9999), ' 99% ###################-');
  assert.equal(bar(1), '100% ####################');
});

test('durations are read at a glance', () => {
  assert.deepEqual([7, 65, 3725].map(formatDuration), ['7 s', '1:05', '1:02:05']);
});

test('amounts on the screen are cut off, never rounded up', () => {
  assert.equal(shortBtt(parseBtt('1.9999999')), '1.999999');
  assert.equal(shortBtt(parseBtt('0.0273865992')), '0.027386');
  assert.equal(shortBtt(atto(1n)), '0.000000000000000001');
  assert.equal(shortBtt(parseBtt('12')), '12');
});
