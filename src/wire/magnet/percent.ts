/** Percent-encoding (RFC 3986) of text as UTF-8. */
import { decodeUtf8, encodeUtf8 } from '../bencode/utf8.ts';

const UNRESERVED = /^[A-Za-z0-9\-._~]$/;

/** Encodes everything but unreserved characters and those of `alsoPlain`. */
export function percentEncode(text: string, alsoPlain = ''): string {
  let encoded = '';
  for (const byte of encodeUtf8(text)) {
    const character = String.fromCharCode(byte);
    const isPlain = UNRESERVED.test(character) || alsoPlain.includes(character);
    encoded += isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Decodes what is encoded; a stray `%` stays, invalid UTF-8 becomes U+FFFD. */
export function percentDecode(text: string): string {
  if (!text.includes('%')) return text;
  const view = encodeUtf8(text);
  const decoded = new Uint8Array(view.length);
  let length = 0;
  for (let at = 0; at < view.length; at++) {
    const high = hexDigit(view[at + 1]);
    const low = hexDigit(view[at + 2]);
    if (view[at] === 0x25 && high >= 0 && low >= 0) {
      decoded[length++] = high * 16 + low;
      at += 2;
    } else {
      decoded[length++] = view[at] ?? 0;
    }
  }
  return decodeUtf8(decoded.subarray(0, length));
}

function hexDigit(byte: number | undefined): number {
  const value = Number.parseInt(String.fromCharCode(byte ?? 0), 16);
  return Number.isNaN(value) ? -1 : value;
}
