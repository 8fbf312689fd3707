/** `bidwidth dht`: looks into the DHT, and puts items there. */
import {
  describeItem,
  ed25519PublicKey,
  type ItemDescription,
  putItem,
  readItemName,
} from '../../daemon/dht/index.ts';
import { DaemonError } from '../../daemon/index.ts';
import { describeTorrent } from '../../daemon/torrents/index.ts';
import { fromHex, hostAndPort, toHex } from '../../units/index.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { counted } from '../counted.ts';
import { type DhtOptions, openSecret, type SignerOptions, saltOf, withDht } from './dht-options.ts';

/** As commander collects them. */
export interface PutOptions extends SignerOptions {
  readonly mutable?: true;
}

/** Lines of peers or nodes for people; programs get them all. */
const SHOWN_MAX = 100;

/** Prints the item at a target or of a key; fails when nobody has it. */
export async function getItem(
  context: Context,
  text: string,
  options: DhtOptions & { readonly salt?: string },
): Promise<void> {
  const { target, salt } = readItemName(text, saltOf(options));
  await withDht(context, options, async (dht) => {
    const item = await dht.getItem(target, salt);
    if (!item) {
      throw new DaemonError('DAEMON_ITEM_UNKNOWN', `no node has an item at ${toHex(target)}`);
    }
    const description = describeItem(item);
    context.output.summary({ ok: true, ...description }, itemLines(description));
  });
}

/** Stores a text: under its hash, or signed under a key. */
export async function putText(context: Context, text: string, options: PutOptions): Promise<void> {
  const { mutable, salt, sequence = null, key } = options;
  const isSigned = mutable || salt !== undefined || sequence !== null || key !== undefined;
  const saltBytes = saltOf(options);
  const value = encodeText(text);
  const secret = isSigned ? await openSecret(options) : null;
  await withDht(context, options, async (dht) => {
    const signer = secret && { secret, salt: saltBytes, sequence };
    const { item, storedCount } = await putItem(dht, { value, signer });
    const description = describeItem(item);
    context.output.summary({ ok: true, ...description, storedCount }, [
      ...itemLines(description),
      `${counted(storedCount, 'node')} took it; they forget it in two hours unless it is put again`,
    ]);
  });
}

/** The key that signs what this node puts; it is made if there is none yet. */
export async function showKey({ output }: Context, options: SignerOptions): Promise<void> {
  const publicKey = toHex(ed25519PublicKey(await openSecret(options)));
  output.summary({ ok: true, publicKey }, [publicKey]);
}

/** Lists peers of a torrent, and how large its swarm is as nodes count it (BEP 33). */
export async function showPeers(
  context: Context,
  text: string,
  options: DhtOptions,
): Promise<void> {
  const torrent = describeTorrent(await context.readTorrent(text));
  const { infoHashV1, infoHashV2 } = torrent;
  if (torrent.private) {
    const why = 'this torrent is private: its peers are not in the DHT';
    throw new DaemonError('DAEMON_TORRENT_UNSUPPORTED', why);
  }
  const infoHash = infoHashV1 ?? infoHashV2?.slice(0, 40) ?? '';
  await withDht(context, options, async (dht) => {
    const { peers, swarm, askedCount } = await dht.findPeers(fromHex(infoHash));
    const { seeders = null, leechers = null } = swarm ?? {};
    const estimate = swarm ? `; about ${seeders} seeders, ${leechers} leechers` : '';
    const facts = { infoHash, peers, seeders, leechers, askedCount };
    context.output.summary({ ok: true, ...facts }, [
      ...shown(peers.map(hostAndPort)),
      `${peers.length} peers by ${counted(askedCount, 'node')}${estimate}`,
    ]);
  });
}

/** Says how the DHT is joined, and whom we know there. */
export async function showNodes(context: Context, options: DhtOptions): Promise<void> {
  await withDht(context, options, async (dht) => {
    const families = dht.status().map(({ family, localId, nodeCount, externalHost }) => ({
      ...{ family, nodeCount, externalHost },
      id: toHex(localId),
    }));
    const known = dht.contacts().map(({ id, host, port }) => ({ id: toHex(id), host, port }));
    const lines = families.map(({ family, nodeCount, externalHost, id }) => {
      const seen = externalHost === null ? '' : `; others see us at ${externalHost}`;
      return `IPv${family}: ${counted(nodeCount, 'node')} known, our id ${id}${seen}`;
    });
    context.output.summary({ ok: true, families, nodes: known }, [
      ...shown(known.map((node) => `${node.id}  ${hostAndPort(node)}`)),
      ...lines,
    ]);
  });
}

function itemLines(item: ItemDescription): readonly string[] {
  const value = typeof item.value === 'string' ? item.value : JSON.stringify(item.value);
  const rows: readonly (readonly [string, string | null])[] = [
    ['target', item.target],
    ['key', item.publicKey],
    ['salt', item.salt],
    ['sequence', item.sequence],
    ['value', item.value === null ? item.bencoded : value],
    ['torrent', item.infoHash],
    ['link', item.link],
  ];
  return rows.flatMap(([label, text]) => (text ? [`${label.padEnd(8)}  ${text}`] : []));
}

/** A byte string in bencode. */
function encodeText(text: string): Uint8Array {
  if (text === '') throw new CliError('CLI_USAGE', 'an empty text is not worth storing');
  return new Uint8Array(Buffer.from(`${Buffer.byteLength(text)}:${text}`));
}

function shown(lines: readonly string[]): readonly string[] {
  const more = lines.length - SHOWN_MAX;
  return more > 0 ? [...lines.slice(0, SHOWN_MAX), `and ${more} more (--json lists all)`] : lines;
}
