/** Text in tracker messages: bytes to printable text, and percent-encoding of raw bytes. */
import { decodeUtf8 } from '../bencode/utf8.ts';
import { WireError } from '../wire-error.ts';

/** Characters of a tracker's message that are kept. */
const TRACKER_TEXT_MAX = 300;

/**
 * UTF-8 text fit for a user's screen: control and direction-changing characters become spaces,
 * and it is cut at `TRACKER_TEXT_MAX` characters.
 */
export function printableText(view: Uint8Array): string {
  let shown = '';
  let length = 0;
  for (const character of decodeUtf8(view.subarray(0, TRACKER_TEXT_MAX * 4))) {
    if (length++ >= TRACKER_TEXT_MAX) break;
    shown += isPrintable(character.codePointAt(0) ?? 0) ? character : ' ';
  }
  return shown.trim();
}

/** Percent-encodes raw bytes, all but the unreserved characters of RFC 3986. */
export function encodePercent(view: Uint8Array): string {
  let text = '';
  for (const byte of view) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9\-._~]/.test(character)
      ? character
      : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }
  return text;
}

/** Raw bytes of a percent-encoded value; `+` is a space. Null when it is malformed. */
export function decodePercent(text: string): Uint8Array | null {
  const view = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return null;
    if (code === 0x25) {
      const digits = text.slice(at + 1, at + 3);
      if (!/^[0-9a-f]{2}$/i.test(digits)) return null;
      view[length++] = Number.parseInt(digits, 16);
      at += 2;
    } else {
      view[length++] = code === 0x2b ? 0x20 : code;
    }
  }
  return view.slice(0, length);
}

/** Throws the layer's error for a tracker message that cannot be read. */
export function malformed(what: string): never {
  throw new WireError('WIRE_TRACKER', `tracker message is malformed: ${what}`);
}

/** Control characters could move a terminal's cursor; U+202A and on could reverse the line. */
function isPrintable(code: number): boolean {
  const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const isDirection = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return !isControl && !isDirection;
}
