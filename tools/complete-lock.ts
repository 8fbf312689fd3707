/**
 * Puts the packages of other platforms into package-lock.json where npm left them out. Run it
 * after `npm install`.
 *
 * A registry that lacks such a package makes `npm install` drop it from the lock file, and then
 * `npm ci` calls the lock file out of date (npm/cli issue 9846). An entry with the platform it is
 * for satisfies `npm ci`, and is never fetched elsewhere.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The fields of a lock file's entry that matter here. */
interface Entry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

const FILE = join(import.meta.dirname, '..', 'package-lock.json');

/** The words of platforms in package names, and what npm calls them. */
const OS: Readonly<Record<string, string>> = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  openharmony: 'openharmony',
  win: 'win32',
  win32: 'win32',
};
const CPU: Readonly<Record<string, string>> = {
  amd64: 'x64',
  arm: 'arm',
  arm64: 'arm64',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  x64: 'x64',
};

const lock = JSON.parse(readFileSync(FILE, 'utf8')) as { packages: Record<string, Entry> };
const missing = Object.values(lock.packages).flatMap((parent) =>
  Object.entries(parent.optionalDependencies ?? {})
    .filter(([name]) => lock.packages[`node_modules/${name}`] === undefined)
    .map(([name, version]) => [`node_modules/${name}`, entryOf(name, version, parent)] as const),
);
const [root, ...rest] = Object.entries(lock.packages);
if (root === undefined) throw new Error('package-lock.json has no packages');
const sorted = [...rest, ...missing].sort(([a], [b]) => a.localeCompare(b, 'en'));
const completed = { ...lock, packages: Object.fromEntries([root, ...sorted]) };
writeFileSync(FILE, `${JSON.stringify(completed, null, 2)}\n`);
console.log(`${missing.length} entries added`);

function entryOf(name: string, version: string, parent: Entry): Entry {
  const words = name.split(/[-/]/);
  const os = words.map((word) => OS[word]).find((found) => found !== undefined);
  const cpu = words.map((word) => CPU[word]).find((found) => found !== undefined);
  if (os === undefined || cpu === undefined || !/^\d/.test(version)) {
    throw new Error(`cannot tell which platform ${name}@${version} is for: add it by hand`);
  }
  return {
    version,
    cpu: [cpu],
    ...(parent.dev === true ? { dev: true } : {}),
    ...(words.some((word) => word.startsWith('musl')) ? { libc: ['musl'] } : {}),
    optional: true,
    os: [os],
  };
}
