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

/** The folder that all nodes of a user have in common, wherever each keeps its own things. */
export function sharedFolder(environment: Readonly<Record<string, string | undefined>>): string {
  return defaultDataFolder({ ...environment, [VARIABLE]: undefined });
}

/** The paths inside the folder. Nothing is created here. */
export class DataFolder {
  readonly root: string;
  readonly #shared: string;

  /** `shared` is a `sharedFolder`; left out, this node knows only of those in the same folder. */
  constructor(root: string, shared: string = root) {
    this.root = resolve(root);
    this.#shared = resolve(shared);
  }

  /** Which files are in use, by which node: the first of these folders that can be written. */
  get filesInUse(): readonly string[] {
    return [...new Set([this.#shared, this.root])].map((folder) => join(folder, 'in-use'));
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

  /** The key that signs what this node puts into the DHT. */
  get dhtKey(): string {
    return join(this.root, 'dht-key.json');
  }

  /** The newest version known of each torrent that is followed by its key. */
  get followed(): string {
    return join(this.root, 'followed');
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
