import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOfWebSeed } from './web-seed-guard.ts';

const PUBLIC = '93.184.216.34';

test('a public server may be asked, with a query and after redirects', () => {
  const target = { address: PUBLIC, hasQuery: true, redirectedFrom: '8.8.8.8' };
  assert.equal(refusalOfWebSeed(target), null);
});

test('a local server may be asked without a query, as the torrent of a local network says', () => {
  for (const address of ['127.0.0.1', '192.168.1.2', '::1', 'fe80::1']) {
    const target = { address, hasQuery: false, redirectedFrom: null };
    assert.equal(refusalOfWebSeed(target), null);
    assert.match(refusalOfWebSeed({ ...target, hasQuery: true }) ?? '', /no query/);
  }
});

test('no public server may send us into the local network', () => {
  for (const address of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1']) {
    const target = { address, hasQuery: false, redirectedFrom: PUBLIC };
    assert.match(refusalOfWebSeed(target) ?? '', /redirects into the local network/);
  }
  const local = { address: '127.0.0.1', hasQuery: false, redirectedFrom: '127.0.0.1' };
  assert.equal(refusalOfWebSeed(local), null);
});

test('where nobody can be is not asked', () => {
  const target = { address: '0.0.0.0', hasQuery: false, redirectedFrom: null };
  assert.match(refusalOfWebSeed(target) ?? '', /cannot be a server's/);
});
