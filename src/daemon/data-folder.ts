/** Where the node keeps what it must remember. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The variable that names the folder. */
const VARIABLE = 'BIDWIDTH_HOME';

/** `$BIDWIDTH_HOME`, else `bidwidth` in the user's data folder as the XDG rules name it. */
export function defaultDataFolder(
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const own = environment[VARIABLE];
  if (own) return resolve(own);
  const shared = environment['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  return join(shared, 'bidwidth');
}

/** The paths inside the folder. Nothing is created here. */
export class DataFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** Which pieces of each torrent are known to be right. */
  get resume(): string {
    return join(this.root, 'resume');
  }

  /** The torrents of a node that keeps a session. */
  get session(): string {
    return join(this.root, 'session.sqlite');
  }

  /** Our id and the nodes we knew in the DHT. */
  get dht(): string {
    return join(this.root, 'dht.json');
  }

  /** The encrypted wallet. */
  get wallet(): string {
    return join(this.root, 'wallet.json');
  }

  /** The unprotected key for play money on the local chain. */
  get localKey(): string {
    return join(this.root, 'local-key.json');
  }

  /** The embedded chain's state. */
  get localChain(): string {
    return join(this.root, 'chain');
  }

  /** Where the contract deployed by this node is, on a chain where it had to be. */
  escrow(chainId: number): string {
    return join(this.root, `escrow-${chainId}.txt`);
  }
}
