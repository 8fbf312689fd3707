/** The commands about the DHT. */
import { type Command, InvalidArgumentError } from 'commander';
import { defaultDataFolder } from '../daemon/index.ts';
import { readPeer } from './arguments.ts';
import type { PutOptions } from './commands/dht.ts';
import type { DhtOptions, SignerOptions } from './commands/dht-options.ts';
import type { PublishOptions } from './commands/publish.ts';
import type { Context } from './context.ts';
import { addWayOut } from './shared-options.ts';

/** `bidwidth publish` and `bidwidth dht …`. */
export function addDhtCommands(program: Command, context: Context): void {
  const publish = program
    .command('publish')
    .description('sign which torrent your key names, for all who follow the key')
    .argument('<torrent|magnet>', 'torrent file, magnet link or info-hash')
    .option('--keep', 'put it again each hour, until Ctrl-C');
  addDhtOptions(addSignerOptions(publish)).action(async (text: string, options: PublishOptions) => {
    const command = await import('./commands/publish.ts');
    await command.publish(context, text, options);
  });
  const dht = program.command('dht').description('look into the DHT, and put items there');
  const get = dht
    .command('get')
    .description('print an item')
    .argument('<target|key>', 'of 40 or 64 hexadecimal digits, or a link to a key')
    .option('--salt <text>', 'which of the items of a key');
  addDhtOptions(get).action(async (text: string, options: DhtOptions & { salt?: string }) => {
    const command = await import('./commands/dht.ts');
    await command.getItem(context, text, options);
  });
  const put = dht
    .command('put')
    .description('store a text for two hours, under its hash or your key')
    .argument('<text>', 'up to a thousand bytes')
    .option('--mutable', 'under your key: the next one takes its place');
  addDhtOptions(addSignerOptions(put)).action(async (text: string, options: PutOptions) => {
    const command = await import('./commands/dht.ts');
    await command.putText(context, text, options);
  });
  const peers = dht
    .command('peers')
    .description('list peers of a torrent, and estimate its swarm')
    .argument('<torrent|magnet>', 'torrent file, magnet link or info-hash');
  addDhtOptions(peers).action(async (text: string, options: DhtOptions) => {
    const command = await import('./commands/dht.ts');
    await command.showPeers(context, text, options);
  });
  const nodes = dht.command('nodes').description('join, and list the nodes that are known then');
  addDhtOptions(nodes).action(async (options: DhtOptions) => {
    const command = await import('./commands/dht.ts');
    await command.showNodes(context, options);
  });
  const key = dht.command('key').description('print the public key that signs for you');
  addDataOptions(addKeyOptions(key)).action(async (options: SignerOptions) => {
    const command = await import('./commands/dht.ts');
    await command.showKey(context, options);
  });
}

function addSignerOptions(command: Command): Command {
  return addKeyOptions(command)
    .option('--salt <text>', 'one key has an item for each salt')
    .option('--sequence <number>', 'instead of a later one than before', readSequence);
}

function addKeyOptions(command: Command): Command {
  return command
    .option('--key <file>', 'the key, made if it is not there (default: in the data folder)')
    .option('--password-file <file>', "file with the key's password");
}

function addDhtOptions(command: Command): Command {
  return addDataOptions(
    addWayOut(command).option(
      '--dht-node <host:port>',
      'a DHT node to begin with; may be repeated',
      readPeer,
    ),
  );
}

function addDataOptions(command: Command): Command {
  return command
    .option('--data-dir <dir>', 'where the node remembers things', defaultDataFolder(process.env))
    .option('--json', 'one JSON object per line');
}

/** Sequence numbers have 63 bits. */
function readSequence(text: string): bigint {
  const number = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
  if (number >= 0n && number < 2n ** 63n) return number;
  throw new InvalidArgumentError('Use a whole number from 0 to 9223372036854775807.');
}
