/**
 * A machine of its own for a test: a network namespace whose every packet goes into the void and is
 * written down, but for those to one address and port.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** An interface of a namespace. */
export interface Link {
  readonly device: string;
  /** Its address. */
  readonly ownHost: string;
  /** The address of this machine at the other end. */
  readonly nearHost: string;
}

/** A namespace. Disposing it takes it down; what runs in it must have ended. */
export interface Namespace extends AsyncDisposable {
  /** This machine, as programs in the namespace see it: their way to everywhere. */
  readonly nearHost: string;
  /** Put before a command, it runs in the namespace. */
  readonly under: readonly string[];
  /** From now on packets that match this, in nftables' words, pass; forgets what was seen. */
  let(match: string): void;
  /** Forgets what was seen. */
  forget(): void;
  /** Packets that did not pass: `from . to . port`, as nftables writes it. */
  seen(): readonly string[];
  /** Makes another interface, whose near side is this machine, too. */
  addLink(): Link;
  /** Runs `ip` for the namespace. */
  ip(line: string): void;
}

/** Why there can be none here; null when there can. */
export function namespaceProblem(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  for (const [command, flag] of [
    ['ip', '-V'],
    ['nft', '-v'],
  ]) {
    const { status } = spawnSync(`${command}`, [`${flag}`]);
    if (status !== 0) return `${command} is not installed`;
  }
  return null;
}

/** Of private ranges (RFC 1918) that nothing else here uses, each process has some addresses. */
const HIGH: number = (process.pid >> 6) & 0xff;
const LOW: number = (process.pid & 0x3f) * 4;

/** Makes a namespace. Throws when the system refuses. */
export function makeNamespace(): Namespace {
  removeStale();
  const name = `bwtest${process.pid}`;
  const links: string[] = [];
  const remove = (): void => {
    spawnSync('ip', ['netns', 'del', name]);
    for (const near of links) spawnSync('ip', ['link', 'del', near]);
  };
  const ip = (line: string): void => void run('ip', ['-n', name, ...line.split(' ')]);
  const nft = (text: string): string => run('ip', ['netns', 'exec', name, 'nft', '-f', '-'], text);
  const addLink = (): Link => {
    const nth = links.length;
    const [near, device] = [`${name}n${nth}`, `${name}f${nth}`];
    const start = `10.${214 + nth}.${HIGH}`;
    const [nearHost, ownHost] = [`${start}.${LOW + 1}`, `${start}.${LOW + 2}`];
    links.push(near);
    run('ip', `link add ${near} type veth peer name ${device} netns ${name}`.split(' '));
    run('ip', ['addr', 'add', `${nearHost}/30`, 'dev', near]);
    run('ip', ['link', 'set', near, 'up']);
    ip(`addr add ${ownHost}/30 dev ${device}`);
    ip(`link set ${device} up`);
    return { device, ownHost, nearHost };
  };
  process.once('exit', remove);
  run('ip', ['netns', 'add', name]);
  ip('link set lo up');
  const { nearHost, device } = addLink();
  ip(`addr add fd00:214::2/64 dev ${device} nodad`);
  ip(`route add default via ${nearHost}`);
  ip(`-6 route add default via fd00:214::1 dev ${device}`);
  nft(RULES);
  const forget = (): void => void nft('flush set inet leak seen4; flush set inet leak seen6');
  return {
    ...{ nearHost, ip, addLink, forget },
    under: ['ip', 'netns', 'exec', name],
    let: (match) => {
      nft(`flush chain inet leak pass; add rule inet leak pass ${match} accept`);
      forget();
    },
    seen: () => {
      const list = run('ip', ['netns', 'exec', name, 'nft', 'list', 'table', 'inet', 'leak']);
      return [...list.matchAll(/elements = \{([^}]*)\}/g)]
        .flatMap(([, elements = '']) => elements.split(','))
        .map((element) => element.trim());
    },
    [Symbol.asyncDispose]: async () => {
      process.removeListener('exit', remove);
      remove();
    },
  };
}

/** Only what programs send: the kernel's own chatter is ICMP and IGMP. */
const RULES = `table inet leak {
  set seen4 { type ipv4_addr . ipv4_addr . inet_service; flags dynamic; size 4096; }
  set seen6 { type ipv6_addr . ipv6_addr . inet_service; flags dynamic; size 4096; }
  chain pass { }
  chain out {
    type filter hook output priority 0; policy accept;
    jump pass
    meta l4proto { tcp, udp } ip daddr != 0.0.0.0 add @seen4 { ip saddr . ip daddr . th dport } drop
    meta l4proto { tcp, udp } ip6 daddr != :: add @seen6 { ip6 saddr . ip6 daddr . th dport } drop
  }
}`;

function run(command: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(command, args, { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Removes what processes have left that were killed. */
function removeStale(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const [, name = '', pid] of (stdout ?? '').matchAll(/^(bwtest(\d+))\b/gm)) {
    if (!existsSync(`/proc/${pid}`)) spawnSync('ip', ['netns', 'del', name]);
  }
}
