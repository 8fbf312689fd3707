/** Every command and option. The commands' code is loaded when one of them runs. */
import { Command, Option } from 'commander';
import { defaultDataFolder } from '../daemon/index.ts';
import {
  collect,
  readAsk,
  readBtt,
  readDuration,
  readPeer,
  readPeerCount,
  readPort,
  readPrice,
  readRate,
  readRatio,
  readSchedule,
  readSeconds,
  readSize,
  wholeNumber,
} from './arguments.ts';
import type { CreateOptions } from './commands/create.ts';
import type { DownloadOptions } from './commands/download-job.ts';
import type { SeedOptions } from './commands/seed.ts';
import type { SimulateOptions } from './commands/simulate.ts';
import type { StreamOptions } from './commands/stream.ts';
import type { TrackerOptions } from './commands/tracker.ts';
import type { VerifyCommandOptions } from './commands/verify.ts';
import type { WayOutOptions } from './commands/way-out.ts';
import type { Context } from './context.ts';
import { addDhtCommands } from './dht-program.ts';
import { readFileList, readFilePriority, readFileRename } from './file-choice.ts';
import { addWayOut } from './shared-options.ts';
import { addChainCommands, addChainOptions, addWalletCommands } from './wallet-program.ts';

const VERSION = '0.1.0';

const SCHEDULE =
  "limits by day and hour, such as 'mon-fri 08:00-18:00 down=1M up=pause'; may be repeated, " +
  'the first that holds rules';

/** The command line of `context`. Parsing throws `CommanderError` instead of ending the process. */
export function buildProgram(context: Context): Command {
  const program = new Command('bidwidth')
    .description('A BitTorrent node with a bandwidth market inside it')
    .version(VERSION)
    .exitOverride()
    // The one line is written where all failures are, in main.ts.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError(true);
  addTransferCommands(program, context);
  addTorrentCommands(program, context);
  addTrackerCommands(program, context);
  addDhtCommands(program, context);
  addSimulateCommand(program, context);
  addWalletCommands(program, context);
  addChainCommands(program, context);
  return program;
}

function addTransferCommands(program: Command, context: Context): void {
  const download = program
    .command('download')
    .description('download a torrent; paying for speed is up to you')
    .option('--select <list>', 'only these files, such as 1,3-5: info numbers them', readFileList)
    .option('--priority <number=level>', 'of a file, 0 to 7; may be repeated', readFilePriority)
    .option('--sequential', 'from the first piece to the last, for what is used while it comes')
    .option(
      '--rename <number=path>',
      'of a file, 0 for the folder; may be repeated',
      readFileRename,
    )
    .option('--move-to <dir>', 'folder to move it to when it is complete')
    .option(
      '--update-every <duration>',
      'of a link to a key: how often to look for a newer version',
      readDuration,
      3600,
    )
    .option('--seed', 'go on seeding when complete, until Ctrl-C');
  addDownloadOptions(addSeedingOptions(download)).action(
    async (text: string, options: DownloadOptions) => {
      const command = await import('./commands/download.ts');
      await command.download(context, text, options);
    },
  );
  const stream = program
    .command('stream')
    .description('play a file of a torrent while it is downloaded; until Ctrl-C')
    .option(
      '--file <number|path>',
      'which file; info numbers them (default: the largest that plays)',
    )
    .option('--http-port <number>', 'port for players; 0 for any (default: 8000 or any)', readPort)
    .option('--http-host <address>', 'address for players', '127.0.0.1')
    .option('--exit-when-done', 'end when everything is here and no player reads');
  addDownloadOptions(stream).action(async (text: string, options: StreamOptions) => {
    const command = await import('./commands/stream.ts');
    await command.stream(context, text, options);
  });
  const seed = program
    .command('seed')
    .description('serve a torrent until Ctrl-C, and be paid for it where peers bid')
    .argument('<torrent>', 'torrent file')
    .requiredOption('--from <dir>', "folder that holds the torrent's file or folder")
    .option('--super', 'show each peer only what no other has, until others have everything')
    .option('--ask <btt>', 'lowest price you sell at, in BTT per GiB, or auto', readAsk);
  addNetworkOptions(addSeedingOptions(seed)).action(async (text: string, options: SeedOptions) => {
    const command = await import('./commands/seed.ts');
    await command.seed(context, text, options);
  });
}

function addTorrentCommands(program: Command, context: Context): void {
  program
    .command('create')
    .description('make a torrent of a file or a folder')
    .argument('<path>', 'file or folder')
    .requiredOption('--out <file>', 'where the torrent file goes')
    .option('--tracker <url>', 'announce URL; may be repeated, first is asked first', collect)
    .option('--v1', 'the form every client reads (default)')
    .option('--v2', 'the newer form with SHA-256 alone')
    .option('--hybrid', 'both forms in one')
    .option('--piece-length <size>', 'a power of two from 16K', readSize)
    .option('--private', 'peers come from the trackers only')
    .option('--web-seed <url>', 'HTTP source of the same files; may be repeated', collect)
    .option('--comment <text>', 'a comment for people')
    .option('--name <name>', 'name of the file or folder for downloaders')
    .option('--force', 'replace the torrent file if it exists')
    .option('--json', 'one JSON object per line')
    .action(async (path: string, options: CreateOptions) => {
      const command = await import('./commands/create.ts');
      await command.create(context, path, options);
    });
  program
    .command('info')
    .description('say what a torrent or magnet link contains')
    .argument('<torrent|magnet>', 'torrent file, magnet link or info-hash')
    .option('--json', 'one JSON object')
    .action(async (text: string) => {
      const command = await import('./commands/info.ts');
      await command.info(context, text);
    });
  program
    .command('verify')
    .description('hold files against a torrent')
    .argument('<torrent>', 'torrent file')
    .requiredOption('--in <dir>', "folder that holds the torrent's file or folder")
    .option('--json', 'one JSON object per line')
    .action(async (text: string, options: VerifyCommandOptions) => {
      const command = await import('./commands/verify.ts');
      await command.verify(context, text, options);
    });
}

function addSimulateCommand(program: Command, context: Context): void {
  program
    .command('simulate')
    .description('put a swarm through something on a virtual network; alone it lists what')
    .argument('[scenario]', 'which; none lists them')
    .option('--seed <number>', 'the same seed gives the same run', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--peers <number>', 'how many, instead of the usual', wholeNumber(1, 10_000))
    .option('--json', 'one JSON object per line')
    .action(async (name: string | undefined, options: SimulateOptions) => {
      const command = await import('./commands/simulate.ts');
      command.runSimulation(context, name ?? null, options);
    });
}

function addTrackerCommands(program: Command, context: Context): void {
  const tracker = program
    .command('tracker')
    .description('run an HTTP and UDP tracker until Ctrl-C')
    .option('--host <address>', 'address to listen on; :: for IPv4 and IPv6', '0.0.0.0')
    .option(
      '--port <number>',
      'TCP port, and UDP port unless --udp-port says otherwise',
      readPort,
      6969,
    )
    .option('--udp-port <number>', 'UDP port', readPort)
    .option('--no-http', 'UDP only')
    .option('--no-udp', 'HTTP only')
    .option('--json', 'one JSON object per line')
    .action(async (options: TrackerOptions) => {
      const command = await import('./commands/tracker.ts');
      await command.runTracker(context, options);
    });
  const scrape = tracker
    .command('scrape')
    .description("ask a torrent's trackers how large its swarm is")
    .argument('<torrent|magnet>', 'torrent file or magnet link')
    .option('--json', 'one JSON object');
  addWayOut(scrape).action(async (text: string, options: WayOutOptions) => {
    const command = await import('./commands/tracker.ts');
    await command.scrape(context, text, options);
  });
}

function addSeedingOptions(command: Command): Command {
  return command
    .option('--ratio <number>', 'seed until so much was uploaded for each byte of it', readRatio)
    .option('--seed-time <duration>', 'seed for so long, such as 30m, 2h, 1d12h', readDuration)
    .option('--idle-time <duration>', 'seed until nobody took anything for so long', readDuration);
}

function addDownloadOptions(command: Command): Command {
  command
    .argument('<torrent|magnet>', 'torrent file, magnet link or info-hash')
    .requiredOption('--to <dir>', 'folder to download into')
    .option('--max-price <btt>', 'highest price you pay, in BTT per GiB', readPrice)
    .option('--budget <btt>', 'most you spend on this download, in BTT', readBtt)
    .addOption(
      new Option('--allocate <how>', 'files: as they grow, their length, or their whole room')
        .choices(['none', 'sparse', 'full'])
        .default('none'),
    )
    .option('--timeout <seconds>', 'give up when not complete by then', readSeconds);
  return addNetworkOptions(command);
}

function addNetworkOptions(command: Command): Command {
  return addWayOut(addChainOptions(command))
    .option('--recheck', 'hash what is here, whatever is known of it')
    .option('--peer <host:port>', 'a peer to connect to; may be repeated', readPeer)
    .option('--port <number>', 'port for peers; 0 for any (default: 6881 or any)', readPort)
    .option('--upload-limit <rate>', 'such as 500K or 2M (a second)', readRate)
    .option('--download-limit <rate>', 'such as 500K or 2M (a second)', readRate)
    .option('--schedule <line>', SCHEDULE, readSchedule)
    .addOption(
      new Option('--encryption <policy>', 'encrypted connections; prefer and require use RC4')
        .choices(['off', 'allow', 'prefer', 'require'])
        .default('allow'),
    )
    .option('--no-utp', 'TCP only')
    .option('--no-tcp', 'uTP only: slower, and gives way to everything else on the line')
    .option('--ip-filter <file>', 'eMule, PeerGuardian or CIDR list of addresses to avoid')
    .option('--max-peers <number>', 'peers of a torrent at a time (default: 100)', readPeerCount)
    .option('--add-tracker <url>', 'announce there, too; may be repeated', collect)
    .option('--no-trackers', "do not use the torrent's trackers")
    .option('--no-dht', 'do not look for peers in the DHT')
    .option('--dht-node <host:port>', 'a DHT node to begin with; may be repeated', readPeer)
    .option('--no-pex', 'do not hear of peers from peers, nor tell of them')
    .option('--no-lsd', 'do not look for peers on the local network')
    .option('--no-nat', 'do not ask the router to pass connections on to us')
    .option('--data-dir <dir>', 'where the node remembers things', defaultDataFolder(process.env))
    .option('--json', 'one JSON object per line');
}
