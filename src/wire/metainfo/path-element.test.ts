import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeUtf8, utf8Length } from '../bencode/utf8.ts';
import { numberedElement, sanitizeElement } from './path-element.ts';

function sanitize(text: string): string | null {
  return sanitizeElement(encodeUtf8(text));
}

function sanitizeBytes(...view: number[]): string | null {
  return sanitizeElement(Uint8Array.from(view));
}

const TEN = 'abcdefghi_';

// The cases of libtorrent's test/test_torrent_info.cpp, sanitize_path*.
test('separators go, wherever they stand', () => {
  assert.equal(sanitize('/a/'), 'a');
  assert.equal(sanitize('\\c'), 'c');
  assert.equal(sanitize('test2/../test3'), 'test2..test3');
});

test('an element of which nothing may stand is dropped', () => {
  for (const text of ['.', '..', '/..', './', '//', '//\\', '\0', '\u202e']) {
    assert.equal(sanitize(text), null, JSON.stringify(text));
  }
});

test('dots inside a name, and three of them alone, stay', () => {
  for (const text of ['a...b', 'abc...', 'abc.', 'a. . .', '...', '.hidden']) {
    assert.equal(sanitize(text), text);
  }
});

test('an empty element becomes an underscore', () => {
  assert.equal(sanitize(''), '_');
});

test('control characters become underscores, spaces and colons stay', () => {
  assert.equal(sanitize('\b'), '_');
  assert.equal(sanitize('\b?filename=4'), '_?filename=4');
  assert.equal(sanitize('abc   '), 'abc   ');
  assert.equal(sanitize('c:'), 'c:');
});

test('characters that turn the writing direction go', () => {
  assert.equal(sanitize('foo\u200ebar'), 'foobar');
  for (const turn of '\u200e\u200f\u202a\u202b\u202c\u202d\u202e') {
    assert.equal(sanitize(`photo${turn}gpj.exe`), 'photogpj.exe');
  }
});

test('each invalid UTF-8 sequence becomes one underscore', () => {
  assert.equal(sanitizeBytes(0x66, 0xc2), 'f_');
  assert.equal(sanitizeBytes(0x66, 0xe2, 0x9f), 'f_');
  assert.equal(sanitizeBytes(0x66, 0xf0, 0x9f, 0x92), 'f_');
  assert.equal(sanitizeBytes(0x66, 0xf8, 0x9f, 0x9f, 0x9f, 0x9f, 0x67), 'f_g');
  assert.equal(sanitizeBytes(0x66, 0xc0, 0xae), 'f_');
  assert.equal(sanitizeBytes(0x66, 0xe0, 0x80, 0xae), 'f_');
  assert.equal(sanitizeBytes(0x66, 0xf0, 0x80, 0x80, 0xae), 'f_');
  assert.equal(sanitizeBytes(0x82, 0x65), '_e');
  assert.equal(sanitize('f\u00a1\u27f9\u{1f488}'), 'f\u00a1\u27f9\u{1f488}');
});

test('a long name is cut at 240 bytes', () => {
  assert.equal(sanitize(TEN.repeat(25)), TEN.repeat(24));
});

test('a long name keeps a short extension', () => {
  assert.equal(sanitize(`${TEN.repeat(24)}abcde.test`), `${TEN.repeat(24)}.test`);
  const cut = `${TEN.repeat(23)}abcdefghi\u2014`;
  assert.equal(sanitize(`${cut}abcde.jpg`), `${cut}.jpg`);
});

test('a number goes before the extension', () => {
  assert.equal(numberedElement('bar.txt', 1), 'bar.1.txt');
  assert.equal(numberedElement('bar', 2), 'bar.2');
  assert.equal(numberedElement('.bashrc', 1), '.1.bashrc');
  assert.equal(numberedElement('a.tar.gz', 1), 'a.tar.1.gz');
  assert.equal(numberedElement(`${'—'.repeat(84)}.gz`, 10), `${'—'.repeat(83)}.10.gz`);
});

test('a sanitised name is legal on Linux, stays itself, and can be numbered', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(1000), (view, count) => {
      const name = sanitizeElement(view);
      if (name === null) return;
      for (const element of [name, numberedElement(name, count)]) {
        assert.ok(element !== '' && element !== '.' && element !== '..');
        assert.ok(!element.includes('/') && !element.includes('\0'));
        assert.ok(utf8Length(element) <= 255);
      }
      assert.equal(sanitize(name), name);
    }),
    { numRuns: 1000 },
  );
});
