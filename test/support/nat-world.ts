/**
 * A small internet of network namespaces (Linux, root): a public host, and homes behind routers
 * that translate addresses and let nobody in.
 */
import { spawnSync } from 'node:child_process';

/** A host in it. */
export interface WorldHost {
  readonly address: string;
  /** The command line that runs there. */
  command(line: readonly [string, ...string[]]): readonly [string, ...string[]];
}

/** The hosts; gone with all their interfaces when disposed. */
export interface NatWorld extends Disposable {
  /** On the open internet, reached by everybody. */
  readonly public: WorldHost;
  /** Each behind a router of its own. */
  readonly homes: readonly WorldHost[];
}

/** Public by class, and nobody's: nothing here leaves the namespaces. */
const PUBLIC_NET = '11.77.0';

/** Makes a world with `homeCount` homes. */
export function makeNatWorld(homeCount: number): NatWorld {
  const prefix = `bw${process.pid}`;
  const spaces: string[] = [];
  const add = (name: string): string => {
    run(`ip netns add ${prefix}${name}`);
    spaces.push(`${prefix}${name}`);
    run(`ip -n ${prefix}${name} link set lo up`);
    return `${prefix}${name}`;
  };
  const dispose = (): void => {
    for (const space of spaces) spawnSync('ip', ['netns', 'del', space]);
  };
  try {
    const internet = add('net');
    run(`ip -n ${internet} link add br0 type bridge`);
    run(`ip -n ${internet} addr add ${PUBLIC_NET}.1/24 dev br0`);
    run(`ip -n ${internet} link set br0 up`);
    const homes = Array.from({ length: homeCount }, (_, nth) => {
      const [router, home] = [add(`r${nth}`), add(`h${nth}`)];
      connect(internet, router, `p${nth}`);
      run(`ip -n ${internet} link set p${nth} master br0`);
      run(`ip -n ${router} addr add ${PUBLIC_NET}.${10 + nth}/24 dev wan`);
      connect(router, home, 'lan');
      run(`ip -n ${router} addr add 192.168.77.1/24 dev lan`);
      run(`ip -n ${home} addr add 192.168.77.2/24 dev wan`);
      run(`ip -n ${home} route add default via 192.168.77.1`);
      run(`ip netns exec ${router} sysctl -q net.ipv4.ip_forward=1`);
      run(`ip netns exec ${router} nft -f -`, ROUTER_RULES);
      return hostIn(home, '192.168.77.2');
    });
    return {
      public: hostIn(internet, `${PUBLIC_NET}.1`),
      homes,
      [Symbol.dispose]: dispose,
    };
  } catch (failure) {
    dispose();
    throw failure;
  }
}

/**
 * What cheap routers do. They drop without a word what nobody inside has asked for, also what is
 * for themselves: else they would remember it, and give the real way out another port.
 */
const ROUTER_RULES = `
table ip nat {
  chain postrouting { type nat hook postrouting priority 100; oifname "wan" masquerade; }
}
table ip filter {
  chain input { type filter hook input priority 0; iifname "wan" ct state new drop; }
  chain forward { type filter hook forward priority 0; iifname "wan" ct state new drop; }
}
`;

/** A cable from `one`, where its end is called `name`, to `other`, where it is called `wan`. */
function connect(one: string, other: string, name: string): void {
  run(`ip -n ${one} link add ${name} type veth peer name wan netns ${other}`);
  run(`ip -n ${one} link set ${name} up`);
  run(`ip -n ${other} link set wan up`);
}

function hostIn(space: string, address: string): WorldHost {
  return { address, command: (line) => ['ip', 'netns', 'exec', space, ...line] };
}

function run(line: string, input = ''): void {
  const [command = '', ...args] = line.split(' ');
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', input });
  if (status !== 0) throw new Error(`${line}: ${stderr}`);
}
