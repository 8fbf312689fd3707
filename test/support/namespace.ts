/**
 * A machine of its own for a test: a network namespace whose every packet goes into the void and is
 * written down, but for those to one address and port.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A namespace. Disposing it takes it down; what runs in it must have ended. */
export interface Namespace extends AsyncDisposable {
  /** This machine, as programs in the namespace see it. */
  readonly nearHost: string;
  /** The namespace's own address. */
  readonly ownHost: string;
  /** Its interface with that address. */
  readonly device: string;
  /** Put before a command, it runs in the namespace. */
  readonly under: readonly string[];
  /** From now on packets to this port of `nearHost` pass; what was seen is forgotten. */
  let(port: number): void;
  /** Where packets went, `address . port` as nftables writes it; those that passed are left out. */
  seen(): readonly string[];
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

/** Of a private range (RFC 1918) that nothing else here uses, each process has some addresses. */
const PREFIX: string = `10.214.${(process.pid >> 6) & 0xff}.${(process.pid & 0x3f) * 4}`;
const [, BASE = '', LAST = ''] = /^(.*\.)(\d+)$/.exec(PREFIX) ?? [];

/** Makes a namespace. Throws when the system refuses. */
export function makeNamespace(): Namespace {
  removeStale();
  const name = `bwtest${process.pid}`;
  const [near, far] = [`${name}n`, `${name}f`];
  const [nearHost, ownHost] = [`${BASE}${Number(LAST) + 1}`, `${BASE}${Number(LAST) + 2}`];
  const remove = (): void => {
    spawnSync('ip', ['netns', 'del', name]);
    spawnSync('ip', ['link', 'del', near]);
  };
  const ip = (line: string): void => void run('ip', ['-n', name, ...line.split(' ')]);
  const nft = (text: string): string => run('ip', ['netns', 'exec', name, 'nft', '-f', '-'], text);
  process.once('exit', remove);
  run('ip', ['netns', 'add', name]);
  run('ip', `link add ${near} type veth peer name ${far} netns ${name}`.split(' '));
  run('ip', ['addr', 'add', `${nearHost}/30`, 'dev', near]);
  run('ip', ['link', 'set', near, 'up']);
  for (const line of [
    'link set lo up',
    `addr add ${ownHost}/30 dev ${far}`,
    `addr add fd00:214::2/64 dev ${far} nodad`,
    `link set ${far} up`,
    `route add default via ${nearHost}`,
    `-6 route add default via fd00:214::1 dev ${far}`,
  ]) {
    ip(line);
  }
  nft(RULES);
  return {
    ...{ nearHost, ownHost, device: far, ip },
    under: ['ip', 'netns', 'exec', name],
    let: (port) => {
      nft(`flush set inet leak seen4; flush set inet leak seen6; flush chain inet leak pass
        add rule inet leak pass ip daddr ${nearHost} tcp dport ${port} accept`);
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
  set seen4 { type ipv4_addr . inet_service; flags dynamic; size 4096; }
  set seen6 { type ipv6_addr . inet_service; flags dynamic; size 4096; }
  chain pass { }
  chain out {
    type filter hook output priority 0; policy accept;
    jump pass
    meta l4proto { tcp, udp } ip daddr != 0.0.0.0 add @seen4 { ip daddr . th dport } drop
    meta l4proto { tcp, udp } ip6 daddr != :: add @seen6 { ip6 daddr . th dport } drop
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
