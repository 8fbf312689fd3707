import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { toHex } from '../../units/index.ts';
import { type ItemKeyAccess, KeystoreError, openItemKey } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'bidwidth-item-key-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A low work factor: this password guards nothing. */
const scryptCost = 1_024;

function access(name: string, { old = '', made = null as string | null } = {}): ItemKeyAccess {
  const path = join(folder, name);
  return { path, password: async () => old, newPassword: made, scryptCost };
}

const codeIs = (code: string) => (error: unknown) =>
  error instanceof KeystoreError && error.code === code;

test('a key is made once, for its owner alone', async () => {
  const key = await openItemKey(access('plain.json'));
  assert.equal(key.length, 32);
  assert.deepEqual(await openItemKey(access('plain.json')), key);
  assert.equal(statSync(join(folder, 'plain.json')).mode & 0o777, 0o600);
});

test('with a password it is not in the file, and opens with that one alone', async () => {
  const key = await openItemKey(access('sealed.json', { made: 'correct horse' }));
  assert.ok(!readFileSync(join(folder, 'sealed.json'), 'utf8').includes(toHex(key)));
  const opened = await openItemKey(access('sealed.json', { old: 'correct horse' }));
  assert.deepEqual(opened, key);
  const wrong = openItemKey(access('sealed.json', { old: 'battery staple' }));
  await assert.rejects(wrong, codeIs('KEYSTORE_PASSWORD'));
  const short = openItemKey(access('short.json', { made: '1234567' }));
  await assert.rejects(short, codeIs('KEYSTORE_PASSWORD'));
});

test('what is no key is called damaged', async () => {
  const sealed = readFileSync(join(folder, 'sealed.json'), 'utf8');
  for (const [nth, text] of [
    '',
    '{}',
    'null',
    '{"unencryptedKey":"00"}',
    '{"unencryptedKey":"xx"}',
    sealed.replace('1024', '1025'),
    sealed.replace('1024', '1073741824'),
    sealed.replace(/"encryptedKey": "../, '"encryptedKey": "'),
  ].entries()) {
    const name = `broken-${nth}.json`;
    writeFileSync(join(folder, name), text);
    await assert.rejects(openItemKey(access(name)), codeIs('KEYSTORE_DAMAGED'), text);
  }
});
