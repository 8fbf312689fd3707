/** Base32 (RFC 4648): how older programs wrote info-hashes. */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** Bytes of base32 text of either case without padding; null when a character is foreign. */
export function decodeBase32(text: string): Uint8Array | null {
  const view = new Uint8Array(Math.floor((text.length * 5) / 8));
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (const character of text.toLowerCase()) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return null;
    buffer = ((buffer << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      view[at++] = (buffer >> bits) & 0xff;
    }
  }
  return view;
}
