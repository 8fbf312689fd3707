/** Inputs that guided fuzzing found and kept: one file for each target, one input in a line. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The inputs kept for a target; none when nothing was found. */
export function readFound(name: string): readonly Uint8Array[] {
  const path = pathOf(name);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => Uint8Array.from(Buffer.from(line, 'base64')));
}

/** Adds to them; returns how long the file is. */
export function saveFound(name: string, found: readonly Uint8Array[]): number {
  // Nothing at all would be an empty line, which is none.
  const some = found.filter(({ length }) => length > 0);
  const all = [...readFound(name), ...some].map((input) => Buffer.from(input).toString('base64'));
  const text = all.map((line) => `${line}\n`).join('');
  if (text !== '') writeFileSync(pathOf(name), text);
  return text.length;
}

function pathOf(name: string): string {
  return join(import.meta.dirname, 'corpus', `${name}.txt`);
}
