/** Options of the commands that ask the DHT themselves, and how they join it. */
import { type DhtChoice, joinDht, openItemKey, readSalt } from '../../daemon/dht/index.ts';
import { DataFolder } from '../../daemon/index.ts';
import type { HostPort } from '../arguments.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { givenPassword, readPassword } from '../password.ts';
import { whileAlive } from '../waits.ts';
import { type WayOutOptions, wayOut } from './way-out.ts';

/** As commander collects them. */
export interface DhtOptions extends WayOutOptions {
  readonly dhtNode?: readonly HostPort[];
  readonly dataDir: string;
}

/** Of what is signed. */
export interface SignerOptions extends DhtOptions {
  readonly salt?: string;
  readonly sequence?: bigint;
  readonly key?: string;
  readonly passwordFile?: string;
}

/** A node of the DHT. */
export type JoinedDht = Awaited<ReturnType<typeof joinDht>>;

/** Joins the DHT for as long as `use` takes. Throws CLI_USAGE, DAEMON_DHT_ALONE. */
export async function withDht(
  { output }: Context,
  options: DhtOptions,
  use: (dht: JoinedDht) => Promise<void>,
): Promise<void> {
  const way = wayOut(options);
  refuseHttpProxy(way);
  const { bindHost, proxy = null } = way;
  const choice: DhtChoice = { nodes: options.dhtNode ?? [], useRouters: true };
  const file = new DataFolder(options.dataDir).dht;
  const onNotice = (line: string): void => output.notice(line);
  await whileAlive(async () => {
    let dht: JoinedDht | null = null;
    try {
      output.progress('joining the DHT');
      dht = await joinDht(choice, { port: 0, bindHost, proxy, file, onNotice });
      output.progress('asking the DHT');
      await use(dht);
    } finally {
      output.progress('');
      await dht?.stop();
    }
  });
}

/** The DHT speaks in datagrams. Throws CLI_USAGE. */
export function refuseHttpProxy({ proxy }: ReturnType<typeof wayOut>): void {
  if (proxy?.kind !== 'http') return;
  const text = 'the DHT does not go through an HTTP proxy: take a SOCKS5 proxy, or none';
  throw new CliError('CLI_USAGE', text);
}

/** The salt's bytes; none when it was left out. Throws DAEMON_ITEM_INVALID. */
export function saltOf({ salt = '' }: Pick<SignerOptions, 'salt'>): Uint8Array {
  return readSalt(salt);
}

/** The secret that signs, made at first use. Throws `KeystoreError`, CLI_PASSWORD. */
export async function openSecret(options: SignerOptions): Promise<Uint8Array> {
  const sources = { file: options.passwordFile ?? null, of: 'publishing key' } as const;
  return openItemKey({
    path: options.key ?? new DataFolder(options.dataDir).dhtKey,
    password: () => readPassword(sources, false),
    newPassword: await givenPassword(sources),
  });
}
