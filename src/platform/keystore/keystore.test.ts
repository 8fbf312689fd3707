import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  createWallet,
  findPassword,
  importPhrase,
  KeystoreError,
  openLocalKey,
  readWalletAddress,
  unlockWallet,
} from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'bidwidth-keystore-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A low work factor: these passwords guard nothing. */
const scryptCost = 1_024;
const password = 'correct horse';
const accessTo = (name: string) => ({ path: join(folder, name), password, scryptCost });
const codeIs = (code: string) => (error: unknown) =>
  error instanceof KeystoreError && error.code === code;

/** Everybody's first test account. */
const KNOWN_PHRASE = 'test test test test test test test test test test test junk';
const KNOWN_ADDRESS = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';

test('the known phrase gives the known account of BIP-44', async () => {
  const keys = await importPhrase(accessTo('known.json'), ` ${KNOWN_PHRASE.toUpperCase()}\n`);
  assert.equal(keys.address, KNOWN_ADDRESS);
  assert.equal(readWalletAddress(join(folder, 'known.json')), KNOWN_ADDRESS);
});

test('a new wallet opens again with its password and with its twelve words', async () => {
  const { keys, phrase } = await createWallet(accessTo('new.json'));
  assert.equal(phrase.split(' ').length, 12);
  assert.deepEqual(await unlockWallet(accessTo('new.json')), keys);
  assert.deepEqual(await importPhrase(accessTo('again.json'), phrase), keys);
});

test('the hot key is another key than the funding key', async () => {
  const keys = await unlockWallet(accessTo('known.json'));
  assert.notDeepEqual(keys.hotKey, keys.fundingKey);
  assert.equal(keys.hotKey.length, 32);
});

test('the file is private, and holds the key only encrypted', async () => {
  const keys = await unlockWallet(accessTo('known.json'));
  const path = join(folder, 'known.json');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const text = readFileSync(path, 'utf8');
  for (const key of [keys.fundingKey, keys.hotKey]) {
    assert.ok(!text.includes(Buffer.from(key).toString('hex')));
  }
  assert.equal(JSON.parse(text).crypto.kdf, 'scrypt');
});

test('a wrong password is told from a damaged file and from a missing one', async () => {
  const wrong = { ...accessTo('known.json'), password: 'battery staple' };
  await assert.rejects(unlockWallet(wrong), codeIs('KEYSTORE_PASSWORD'));
  writeFileSync(join(folder, 'torn.json'), '{"version":3,"crypto":{');
  await assert.rejects(unlockWallet(accessTo('torn.json')), codeIs('KEYSTORE_DAMAGED'));
  await assert.rejects(unlockWallet(accessTo('none.json')), codeIs('KEYSTORE_MISSING'));
});

test('an existing wallet is never overwritten, and no temporary file stays', async () => {
  const before = readFileSync(join(folder, 'known.json'), 'utf8');
  await assert.rejects(createWallet(accessTo('known.json')), codeIs('KEYSTORE_EXISTS'));
  assert.equal(readFileSync(join(folder, 'known.json'), 'utf8'), before);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a misspelt phrase is refused without being quoted', async () => {
  // A word of the list in the wrong place, too: viem alone would make a key of it.
  const misspelt = KNOWN_PHRASE.replace('junk', 'jungle');
  await assert.rejects(importPhrase(accessTo('bad.json'), misspelt), (error: unknown) => {
    assert.ok(error instanceof KeystoreError);
    assert.equal(error.code, 'KEYSTORE_PHRASE');
    return !error.message.includes('jungle');
  });
});

test('a password of seven characters is too short', async () => {
  const access = { ...accessTo('short.json'), password: '1234567' };
  await assert.rejects(createWallet(access), codeIs('KEYSTORE_PASSWORD'));
});

test('the local key is made once, is private, and says that it is not encrypted', async () => {
  const path = join(folder, 'local-key-not-encrypted.json');
  const keys = await openLocalKey(path);
  assert.deepEqual(await openLocalKey(path), keys);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, 'utf8'), /NOT ENCRYPTED/);
});

test('the password comes from a file, else from the environment, else from nowhere', () => {
  const file = join(folder, 'password');
  writeFileSync(file, 'from the file\nsecond line\n');
  assert.equal(findPassword({ BIDWIDTH_PASSWORD: 'from outside' }, file), 'from the file');
  assert.equal(findPassword({ BIDWIDTH_PASSWORD_FILE: file }), 'from the file');
  assert.equal(findPassword({ BIDWIDTH_PASSWORD: 'from outside' }), 'from outside');
  assert.equal(findPassword({}), null);
});
