/**
 * A home network of network namespaces (Linux, as root): a machine inside whose only way out is a
 * router. The router is this process, at `routerHost`, or a namespace of its own that translates
 * addresses; then this process is the internet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What to build. */
export interface HomeNetworkOptions {
  /** Whether the router is a namespace of its own. */
  readonly hasRouter: boolean;
  /** Whether the machine inside knows the router. Default true. */
  readonly hasRoute?: boolean;
  /** With `hasRouter`: whether all have IPv6, too, which is not translated. Default false. */
  readonly hasIpv6?: boolean;
}

/** A home network. Disposing it takes it down; what runs in it must have ended. */
export interface HomeNetwork extends AsyncDisposable {
  readonly homeHost: string;
  /** Its global address, with `hasIpv6`; the internet reaches it as it is. */
  readonly homeHost6: string;
  readonly routerHost: string;
  /** The router's address on the internet, and the device that has it; with `hasRouter`. */
  readonly outsideHost: string;
  readonly outsideDevice: string;
  readonly insideDevice: string;
  /** The command that runs `command` on the machine inside, or on the router. */
  inside(command: readonly string[]): readonly [string, ...string[]];
  atRouter(command: readonly string[]): readonly [string, ...string[]];
}

/** Each process has four addresses of a private range, and four of one that is not private. */
const [HIGH, LOW]: readonly [number, number] = [
  (process.pid >> 6) & 0xff,
  (process.pid & 0x3f) * 4,
];
const ROUTER_HOST = `10.214.${HIGH}.${LOW + 1}`;
const HOME_HOST = `10.214.${HIGH}.${LOW + 2}`;
/** Allotted, but never announced to the internet: nobody is missed. */
const OUTSIDE_HOST = `25.214.${HIGH}.${LOW + 1}`;
const WORLD_HOST = `25.214.${HIGH}.${LOW + 2}`;
/** The 6bone's, given back (RFC 3701): nobody is missed. */
const PREFIX_6 = `3ffe:${(process.pid & 0xffff).toString(16)}`;
const [HOME_NET_6, WORLD_NET_6]: readonly [string, string] = [`${PREFIX_6}:1`, `${PREFIX_6}:2`];
const HOME_HOST_6 = `${HOME_NET_6}::2`;
/** Routers advertise themselves by such an address. */
const ROUTER_HOST_6 = 'fe80::1';

/** Builds the network, or says why it cannot be built here. */
export function makeHomeNetwork(options: HomeNetworkOptions): HomeNetwork | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root';
  removeStale();
  const name = `bwhome${process.pid}`;
  const [inside, router] = [`${name}i`, `${name}r`];
  const [home, routerIn, routerOut, world] = ['h', 'i', 'o', 'w'].map((end) => `${name}${end}`);
  const { hasRouter, hasRoute = true, hasIpv6 = false } = options;
  const ip = (...args: readonly (string | undefined)[]): boolean =>
    spawnSync('ip', args.map(String)).status === 0;
  const at = hasRouter ? ['-n', router] : [];
  const addSix = (space: readonly string[], address: string, device = ''): boolean =>
    ip(...space, 'addr', 'add', `${address}/64`, 'dev', device, 'nodad');
  const stepsForSix: readonly (() => boolean)[] = [
    () => addSix(['-n', inside], HOME_HOST_6, home),
    () => addSix(at, `${HOME_NET_6}::1`, routerIn),
    () => addSix(at, ROUTER_HOST_6, routerIn),
    () => addSix(at, `${WORLD_NET_6}::1`, routerOut),
    () => addSix([], `${WORLD_NET_6}::2`, world),
    () => ip('-n', inside, 'route', 'add', 'default', 'via', ROUTER_HOST_6, 'dev', home),
    () => ip('route', 'add', `${HOME_NET_6}::/64`, 'via', `${WORLD_NET_6}::1`, 'dev', world),
  ];
  const steps: readonly (() => boolean)[] = [
    () => ip('netns', 'add', inside),
    () => !hasRouter || ip('netns', 'add', router),
    () => ip(...at, 'link', 'add', routerIn, 'type', 'veth', 'peer', 'name', home, 'netns', inside),
    () => ip(...at, 'addr', 'add', `${ROUTER_HOST}/30`, 'dev', routerIn),
    () => ip(...at, 'link', 'set', routerIn, 'up'),
    () => ip('-n', inside, 'addr', 'add', `${HOME_HOST}/30`, 'dev', home),
    () => ip('-n', inside, 'link', 'set', home, 'up'),
    () => ip('-n', inside, 'link', 'set', 'lo', 'up'),
    () => !hasRoute || ip('-n', inside, 'route', 'add', 'default', 'via', ROUTER_HOST),
    () => !hasRouter || ip(...at, 'link', 'set', 'lo', 'up'),
    () =>
      !hasRouter ||
      ip('link', 'add', world, 'type', 'veth', 'peer', 'name', routerOut, 'netns', router),
    () => !hasRouter || ip(...at, 'addr', 'add', `${OUTSIDE_HOST}/30`, 'dev', routerOut),
    () => !hasRouter || ip(...at, 'link', 'set', routerOut, 'up'),
    () => !hasRouter || ip('addr', 'add', `${WORLD_HOST}/30`, 'dev', world),
    () => !hasRouter || ip('link', 'set', world, 'up'),
    ...(hasIpv6 ? stepsForSix : []),
    () => comesUp(inside, `${home}`),
  ];
  const remove = (): void => removeNetwork(name);
  if (!steps.every((step) => step())) {
    remove();
    return 'network namespaces cannot be made here';
  }
  process.once('exit', remove);
  return {
    homeHost: HOME_HOST,
    homeHost6: HOME_HOST_6,
    routerHost: ROUTER_HOST,
    outsideHost: OUTSIDE_HOST,
    outsideDevice: `${routerOut}`,
    insideDevice: `${routerIn}`,
    inside: (command) => ['ip', 'netns', 'exec', inside, ...command],
    atRouter: (command) => ['ip', 'netns', 'exec', router, ...command],
    [Symbol.asyncDispose]: async () => {
      process.removeListener('exit', remove);
      remove();
    },
  };
}

/** The kernel tells programs up to a second later that a cable is plugged in. */
function comesUp(namespace: string, device: string): boolean {
  for (let tries = 0; tries < 150; tries++) {
    const show = ['-n', namespace, '-o', 'link', 'show', 'dev', device];
    if (/ state UP /.test(spawnSync('ip', show, { encoding: 'utf8' }).stdout ?? '')) return true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  return false;
}

function removeNetwork(name: string): void {
  for (const end of ['i', 'r']) spawnSync('ip', ['netns', 'del', `${name}${end}`]);
  // A cable goes with a namespace, but only when the last process there has gone.
  for (const end of ['i', 'w']) spawnSync('ip', ['link', 'del', `${name}${end}`]);
}

/** Removes what processes have left that were killed. */
function removeStale(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const [, name = '', pid] of (stdout ?? '').matchAll(/^(bwhome(\d+))[ir]\b/gm)) {
    if (!existsSync(`/proc/${pid}`)) removeNetwork(name);
  }
}
