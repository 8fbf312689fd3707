/** Options that choose the way out: a proxy, an address or interface. */
import {
  addressOfBind,
  describeProxy,
  type EgressOptions,
  parseProxyUrl,
} from '../../daemon/node/index.ts';
import { AppError } from '../../units/index.ts';
import { CliError } from '../cli-error.ts';
import type { Output } from '../output.ts';

/** As commander collects them. */
export interface WayOutOptions {
  /** Never repeated to anybody: it may hold a password. */
  readonly proxy?: string;
  readonly bind?: string;
}

/** The daemon's side of them. Throws CLI_USAGE, PLATFORM_BIND. */
export function wayOut({ proxy, bind }: WayOutOptions): EgressOptions {
  return {
    bindHost: bind === undefined ? null : addressOfBind(bind),
    proxy: proxy === undefined ? null : readProxy(proxy),
  };
}

/** What people lose with a proxy, in one line. */
export function tellOfProxy(output: Output, { proxy }: Pick<EgressOptions, 'proxy'>): void {
  if (!proxy) return;
  const off =
    proxy.kind === 'http'
      ? 'incoming connections, UDP trackers, DHT, uTP and local peers are off'
      : 'incoming connections and local peers are off';
  output.notice(`everything goes through the proxy at ${describeProxy(proxy)}; ${off}`);
}

function readProxy(text: string): NonNullable<EgressOptions['proxy']> {
  try {
    return parseProxyUrl(text);
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    throw new CliError('CLI_USAGE', `--proxy: ${failure.message}`);
  }
}
