import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { DataFolder, defaultDataFolder, sharedFolder } from './data-folder.ts';

test("the folder is BIDWIDTH_HOME, else inside the user's data folder", () => {
  assert.equal(defaultDataFolder({ BIDWIDTH_HOME: '/a', XDG_DATA_HOME: '/b' }), '/a');
  assert.equal(defaultDataFolder({ XDG_DATA_HOME: '/b' }), join('/b', 'bidwidth'));
  assert.match(defaultDataFolder({}), /\.local[/\\]share[/\\]bidwidth$/);
  assert.match(defaultDataFolder({ BIDWIDTH_HOME: '' }), /\.local[/\\]share[/\\]bidwidth$/);
});

test('everything the node remembers lies below one folder', () => {
  const { root, resume, wallet, localKey, localChain } = new DataFolder('/a');
  for (const path of [resume, wallet, localKey, localChain]) assert.ok(path.startsWith(root));
});

test('nodes with folders of their own have one in common', () => {
  const shared = sharedFolder({ BIDWIDTH_HOME: '/a', XDG_DATA_HOME: '/b' });
  assert.equal(shared, join('/b', 'bidwidth'));
  assert.deepEqual(new DataFolder('/a', shared).filesInUse, ['/b/bidwidth/in-use', '/a/in-use']);
  assert.deepEqual(new DataFolder('/a').filesInUse, ['/a/in-use']);
});
