/**
 * As much XML as routers speak: elements with text in them. Attributes, namespaces and comments are
 * passed over; documents with definitions of their own (entities) are refused.
 */
import { WireError } from '../wire-error.ts';

/** What is met from the beginning of a document to its end; names without their namespace. */
export type XmlEvent =
  | { readonly kind: 'open' | 'close'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string };

/** Routers describe themselves in a few hundred. */
const TAGS_MAX = 10_000;

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&apos;': "'",
};

/** Reads a document in one pass, in time proportional to its length. Throws WIRE_NAT. */
export function* readXml(document: string): Generator<XmlEvent> {
  let at = 0;
  for (let tags = 0; at < document.length; tags++) {
    if (tags > TAGS_MAX) malformed('it has too many elements');
    const start = document.indexOf('<', at);
    const text = document.slice(at, start === -1 ? document.length : start).trim();
    if (text !== '') yield { kind: 'text', text: decodeEntities(text) };
    if (start === -1) return;
    if (document.startsWith('<![CDATA[', start)) {
      const end = endOf(document, ']]>', start);
      yield { kind: 'text', text: document.slice(start + 9, end - 3) };
      at = end;
    } else if (document.startsWith('<!--', start)) {
      at = endOf(document, '-->', start + 4);
    } else if (document.startsWith('<?', start)) {
      at = endOf(document, '?>', start);
    } else {
      if (document[start + 1] === '!') malformed('it defines entities');
      at = tagEnd(document, start + 1);
      yield* readTag(document.slice(start + 1, at - 1));
    }
  }
}

/** The events of one tag; `inside` is without its angle brackets. */
function* readTag(inside: string): Generator<XmlEvent> {
  const isClose = inside.startsWith('/');
  const qualified = inside.slice(isClose ? 1 : 0).split(/[\s/]/, 1)[0] ?? '';
  const name = qualified.slice(qualified.indexOf(':') + 1);
  if (name === '') malformed('an element has no name');
  yield { kind: isClose ? 'close' : 'open', name };
  if (!isClose && inside.endsWith('/')) yield { kind: 'close', name };
}

/** Just after the `>` of a tag; one inside a quoted attribute is none. */
function tagEnd(document: string, from: number): number {
  let quote = '';
  for (let at = from; at < document.length; at++) {
    const character = document[at] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (character === '>') {
      return at + 1;
    }
  }
  return malformed('a tag has no end');
}

function endOf(document: string, mark: string, from: number): number {
  const at = document.indexOf(mark, from);
  return at === -1 ? malformed(`'${mark}' is missing`) : at + mark.length;
}

function decodeEntities(text: string): string {
  return text.replace(/&[a-z]+;/g, (entity) => ENTITIES[entity] ?? entity);
}

function malformed(what: string): never {
  throw new WireError('WIRE_NAT', `the router's XML cannot be read: ${what}`);
}
