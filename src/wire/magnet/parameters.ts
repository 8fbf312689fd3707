/** The parameters of a magnet link, read leniently. */
import { percentDecode } from './percent.ts';

/** A name in lower case, and its decoded value. */
export type Parameter = readonly [name: string, value: string];

/** All parameters, `&amp;` read as `&`, numbers (`tr.1`) taken off; null when it is no link. */
export function readParameters(link: string): readonly Parameter[] | null {
  return (
    splitLink(link)?.map((part): Parameter => {
      const equals = part.indexOf('=');
      if (equals < 0) return ['', ''];
      const name = nameOf(part);
      const value = part.slice(equals + 1);
      // Programs write a space as a plus in names; in the URL of a tracker a plus is itself.
      return [name, percentDecode(name === 'dn' ? value.replaceAll('+', ' ') : value)];
    }) ?? null
  );
}

/** The link with this topic (`xt`) in place of its own ones. */
export function withTopic(link: string, topic: string): string {
  const others = (splitLink(link) ?? []).filter((part) => nameOf(part) !== 'xt');
  return `magnet:?${[`xt=${topic}`, ...others].join('&')}`;
}

/** Values of one name, in their order. */
export function valuesOf(parameters: readonly Parameter[], wanted: string): readonly string[] {
  return parameters.filter(([name]) => name === wanted).map(([, value]) => value);
}

function splitLink(link: string): readonly string[] | null {
  const query = /^magnet:\/*\?(.*)$/is.exec(link.trim())?.[1];
  return query?.replaceAll(/&amp;/gi, '&').split('&') ?? null;
}

function nameOf(part: string): string {
  const equals = part.indexOf('=');
  return part
    .slice(0, Math.max(0, equals))
    .toLowerCase()
    .replace(/\.\d+$/, '');
}
