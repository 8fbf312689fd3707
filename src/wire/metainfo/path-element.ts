/** Names from strangers made into names for a disk, by libtorrent's rules. */
import { decodeLatin1, readCodePoint, utf8Length } from '../bencode/utf8.ts';

/** What Linux allows one element of a path. */
const ELEMENT_BYTES_MAX = 255;

/** Past this many bytes only a file extension is kept. */
const TRUNCATE_AT_BYTES = 240;

/** An extension this long or shorter, its dot included, survives truncation. */
const EXTENSION_BYTES_MAX = 9;

/** An extension longer than this is taken for part of the name when a number goes before it. */
const EXTENSION_KEPT_BYTES_MAX = 32;

/** Separators and NUL. */
const FILTERED_ASCII: ReadonlySet<number> = new Set([0, 0x2f, 0x5c]);

/** These change the writing direction and let `gpj.exe` pass for a picture. */
const FILTERED_BIDI: ReadonlySet<number> = new Set([
  0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e,
]);

/**
 * One path element as it may stand on disk, or null when nothing of it may (`.`, `..`, `//`).
 *
 * Separators, NUL and characters that turn the writing direction go; control characters and
 * invalid UTF-8 become `_`; an empty element becomes `_`; a long one is cut at 240 bytes, keeping
 * a short extension.
 */
export function sanitizeElement(view: Uint8Array): string | null {
  if (view.length === 0) return '_';
  const text = isPlain(view) ? decodeLatin1(view) : filterElement(view);
  return text === '' || text === '.' || text === '..' ? null : text;
}

/** `name` with `.count` before its extension, shortened where it would be too long for a disk. */
export function numberedElement(name: string, count: number): string {
  const dot = name.lastIndexOf('.');
  const hasExtension = dot >= 0 && utf8Length(name.slice(dot)) <= EXTENSION_KEPT_BYTES_MAX;
  const stem = hasExtension ? name.slice(0, dot) : name;
  const suffix = `.${count}${hasExtension ? name.slice(dot) : ''}`;
  const characters = Array.from(stem);
  let over = utf8Length(stem) + utf8Length(suffix) - ELEMENT_BYTES_MAX;
  while (over > 0) over -= utf8Length(characters.pop() ?? '    ');
  return characters.join('') + suffix;
}

/** The last dot after `from`, if an extension that may be kept begins there. */
function extensionStart(view: Uint8Array, from: number): number | null {
  const first = Math.max(view.length - EXTENSION_BYTES_MAX - 1, from);
  for (let at = view.length - 1; at > first; at--) if (view[at] === 0x2e) return at;
  return null;
}

/** Short, printable ASCII without separators: nearly every name there is. */
function isPlain(view: Uint8Array): boolean {
  if (view.length >= TRUNCATE_AT_BYTES) return false;
  for (const byte of view) {
    if (byte < 32 || byte > 126 || byte === 0x2f || byte === 0x5c) return false;
  }
  return true;
}

function filterElement(view: Uint8Array): string {
  let text = '';
  let addedBytes = 0;
  let hasFoundExtension = false;
  for (let at = 0; at < view.length; ) {
    const { codePoint, lengthBytes } = readCodePoint(view, at);
    const here = at;
    at += lengthBytes;
    if (FILTERED_ASCII.has(codePoint) || FILTERED_BIDI.has(codePoint)) continue;
    if (codePoint < 32) {
      text += '_';
      addedBytes++;
    } else {
      text += String.fromCodePoint(codePoint);
      addedBytes += lengthBytes;
    }
    if (addedBytes >= TRUNCATE_AT_BYTES && !hasFoundExtension) {
      const dot = extensionStart(view, here);
      if (dot === null) break;
      hasFoundExtension = true;
      at = dot;
    }
  }
  return text;
}
