/** Options that commands of several programs have. */
import { type Command, Option } from 'commander';

/** By which way everything leaves. */
export function addWayOut(command: Command): Command {
  return command
    .option('--bind <address>', 'address or interface that everything leaves from, such as tun0')
    .addOption(
      new Option(
        '--proxy <url>',
        'socks5:// or http:// and [user:password@]host:port: everything goes through it, names ' +
          'are looked up by it; local peers and incoming connections are off, and with an HTTP ' +
          'proxy UDP trackers, DHT and uTP',
      ).env('BIDWIDTH_PROXY'),
    );
}
