import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PlatformError } from '../platform-error.ts';
import { describeProxy, parseProxyUrl } from './proxy-address.ts';

test('a proxy is named by scheme, host and port, and perhaps a user and a password', () => {
  const plain = { user: '', password: '' };
  assert.deepEqual(parseProxyUrl('socks5://127.0.0.1:1080'), {
    ...{ kind: 'socks5', host: '127.0.0.1', port: 1080, ...plain },
  });
  assert.deepEqual(parseProxyUrl('HTTP://proxy.example:80/'), {
    ...{ kind: 'http', host: 'proxy.example', port: 80, ...plain },
  });
  assert.deepEqual(parseProxyUrl('socks5h://me:s%40c:r@t@[2001:db8::1]:9'), {
    ...{ kind: 'socks5', host: '2001:db8::1', port: 9, user: 'me', password: 's@c:r@t' },
  });
});

test('what people are shown is the place, never the login', () => {
  assert.equal(describeProxy(parseProxyUrl('socks5://me:secret@[::1]:9')), '[::1]:9');
});

const BAD: Readonly<Record<string, RegExp>> = {
  '': /begins with socks5/,
  'socks4://a:1': /begins with socks5/,
  'https://me:secret@a:1': /begins with socks5/,
  '127.0.0.1:1080': /begins with socks5/,
  'socks5://me:secret@host': /a host and a port/,
  'socks5://:1080': /a host and a port/,
  'socks5://me:secret@host:1080/path': /nothing after/,
  'socks5://::1:1080': /a host and a port/,
  'socks5://host:0': /from 1 to 65535/,
  'socks5://host:70000': /from 1 to 65535/,
  'socks5://me:100%secret@host:1': /%25/,
  [`socks5://me:secret${'x'.repeat(255)}@host:1`]: /at most 255 bytes/,
  'http://a%3Ab:secret@host:1': /without a colon/,
};

test('what is wrong with a URL is said in one line that does not repeat the password', () => {
  for (const [url, says] of Object.entries(BAD)) {
    assert.throws(
      () => parseProxyUrl(url),
      (failure: unknown) => {
        assert.ok(failure instanceof PlatformError && failure.code === 'PLATFORM_PROXY_URL', url);
        assert.match(failure.message, says);
        assert.doesNotMatch(failure.message, /secret|\n/);
        return true;
      },
    );
  }
});

test('any text is read or refused', () => {
  const attempt = (text: string): void => {
    try {
      parseProxyUrl(text);
    } catch (failure) {
      assert.ok(failure instanceof PlatformError, String(failure));
    }
  };
  fc.assert(fc.property(fc.string(), attempt), { numRuns: 500 });
  const near = fc.string({ unit: fc.constantFrom(...'socks5://[]:@%0aé1') });
  fc.assert(
    fc.property(near, (rest) => attempt(`socks5://${rest}`)),
    { numRuns: 500 },
  );
});
