/**
 * A link of a given rate and delay for benchmarks. The rate is the kernel's: a network namespace
 * for the far side, with a token bucket (tbf) on both ends of the cable. The delay is ours, by
 * `test/support/shaper.ts`, for the kernel here has no netem. Where namespaces cannot be made, the
 * shaper does both.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Shaper, startShaper } from '../test/support/shaper.ts';

/** What the link is like. */
export interface LinkOptions {
  readonly bytesPerSecond: number;
  readonly roundTripMs: number;
}

/** A link. Disposing it takes it down; what runs at its far side must have ended. */
export interface SlowLink extends AsyncDisposable {
  /** What is done by whom, for people. */
  readonly description: string;
  /** The address at the far side that programs there listen on. */
  readonly farHost: string;
  /** The command that runs `command` at the far side. */
  atFarSide(command: readonly string[]): readonly string[];
  /** A port of 127.0.0.1 that leads to `farPort`. */
  reach(farPort: number): Promise<Shaper>;
}

/** Of a private range (RFC 1918) that nothing else here uses, each process has four addresses. */
const [HIGH, LOW]: readonly [number, number] = [
  (process.pid >> 6) & 0xff,
  (process.pid & 0x3f) * 4,
];
const NEAR_HOST: string = `10.213.${HIGH}.${LOW + 1}`;
const FAR_HOST: string = `10.213.${HIGH}.${LOW + 2}`;
/** A packet of the largest size that veth makes is cut up by tbf; smaller bursts are more even. */
const BURST_BYTES = 16_384;
/** The queue of an ordinary router; what is beyond it is dropped, and TCP slows down. */
const QUEUE_MS = 100;

/** Makes a link. */
export function makeSlowLink(options: LinkOptions): SlowLink {
  const delayMs = options.roundTripMs / 2;
  const name = `bwlink${process.pid}`;
  const isRoot = process.getuid?.() === 0;
  if (isRoot) removeStale();
  const isInKernel = isRoot && makeNamespace(name, options.bytesPerSecond);
  if (!isInKernel) {
    return {
      description: 'rate and delay by our own shaper',
      farHost: '127.0.0.1',
      atFarSide: (command) => command,
      reach: (port) => startShaper({ ...options, delayMs, target: { host: '127.0.0.1', port } }),
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const remove = (): void => removeNamespace(name);
  process.once('exit', remove);
  return {
    description: 'rate by tbf between network namespaces, delay by our own shaper',
    farHost: FAR_HOST,
    atFarSide: (command) => ['ip', 'netns', 'exec', name, ...command],
    reach: (port) => startShaper({ delayMs, target: { host: FAR_HOST, port } }),
    [Symbol.asyncDispose]: async () => {
      process.removeListener('exit', remove);
      remove();
    },
  };
}

/** A namespace at the end of a cable that lets `bytesPerSecond` through each way; false if not. */
function makeNamespace(name: string, bytesPerSecond: number): boolean {
  const [near, far] = [`${name}n`, `${name}f`];
  const tbf = ['root', 'tbf', 'rate', `${bytesPerSecond * 8}bit`];
  const limits = ['burst', `${BURST_BYTES}b`, 'latency', `${QUEUE_MS}ms`];
  const steps: readonly (readonly string[])[] = [
    ['ip', 'netns', 'add', name],
    ['ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name],
    ['ip', 'addr', 'add', `${NEAR_HOST}/30`, 'dev', near],
    ['ip', 'link', 'set', near, 'up'],
    ['ip', '-n', name, 'addr', 'add', `${FAR_HOST}/30`, 'dev', far],
    ['ip', '-n', name, 'link', 'set', far, 'up'],
    ['ip', '-n', name, 'link', 'set', 'lo', 'up'],
    ['tc', 'qdisc', 'add', 'dev', near, ...tbf, ...limits],
    ['tc', '-n', name, 'qdisc', 'add', 'dev', far, ...tbf, ...limits],
  ];
  const isMade = steps.every(([command = '', ...args]) => spawnSync(command, args).status === 0);
  if (!isMade) removeNamespace(name);
  return isMade;
}

function removeNamespace(name: string): void {
  spawnSync('ip', ['netns', 'del', name]);
  // The cable goes with its far end, but only when the last process there has gone.
  spawnSync('ip', ['link', 'del', `${name}n`]);
}

/** Removes what processes have left that were killed. */
function removeStale(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const [, name = '', pid] of (stdout ?? '').matchAll(/^(bwlink(\d+))\b/gm)) {
    if (!existsSync(`/proc/${pid}`)) removeNamespace(name);
  }
}
