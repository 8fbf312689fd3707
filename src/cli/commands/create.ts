/** `bidwidth create`: makes a torrent of a file or a folder. */
import { makeTorrent } from '../../daemon/torrents/index.ts';
import { type Bytes, formatSize } from '../../units/index.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { counted } from '../counted.ts';
import { bar } from './status-line.ts';
import { Throttle } from './throttle.ts';

/** As commander collects them. */
export interface CreateOptions {
  readonly out: string;
  readonly tracker?: readonly string[];
  readonly v1?: boolean;
  readonly v2?: boolean;
  readonly hybrid?: boolean;
  readonly pieceLength?: Bytes;
  readonly private?: true;
  readonly webSeed?: readonly string[];
  readonly comment?: string;
  readonly name?: string;
  readonly force?: true;
}

/** Hashes and writes. */
export async function create(
  context: Context,
  path: string,
  options: CreateOptions,
): Promise<void> {
  const { output } = context;
  const { signal } = context.catchStop();
  const throttle = new Throttle();
  const startedAt = performance.now();
  const torrent = await makeTorrent(
    {
      path,
      out: options.out,
      isForced: options.force ?? false,
      version: versionOf(options),
      pieceLengthBytes: options.pieceLength ?? null,
      name: options.name ?? null,
      extras: {
        // Each in a tier of its own: one is asked after the other (BEP 12).
        trackers: (options.tracker ?? []).map((url) => [url]),
        webSeeds: options.webSeed ?? [],
        isPrivate: options.private ?? false,
        ...(options.comment === undefined ? {} : { comment: options.comment }),
      },
    },
    {
      signal,
      onProgress: (hashedBytes, totalBytes) => {
        if (!throttle.isDue()) return;
        const rate = hashedBytes / ((performance.now() - startedAt) / 1000);
        output.progress(`${bar(hashedBytes / totalBytes)} ${formatSize(rate)}/s`);
        output.event('progress', { hashedBytes, totalBytes });
      },
    },
  );
  const { infoHashV1, infoHashV2, pieceCount, pieceLengthBytes, totalBytes, fileCount } = torrent;
  const files = counted(fileCount, 'file');
  output.summary({ ok: true, ...torrent }, [
    `${options.out}: ${files}, ${formatSize(totalBytes)}, ` +
      `${pieceCount} pieces of ${formatSize(pieceLengthBytes)}`,
    ...(infoHashV1 === null ? [] : [`v1 info-hash  ${infoHashV1}`]),
    ...(infoHashV2 === null ? [] : [`v2 info-hash  ${infoHashV2}`]),
    torrent.magnet,
  ]);
}

function versionOf({ v1, v2, hybrid }: CreateOptions): 'v1' | 'v2' | 'hybrid' {
  const chosen = [v1, v2, hybrid].filter((one) => one === true).length;
  if (chosen > 1) throw new CliError('CLI_USAGE', 'choose one of --v1, --v2 and --hybrid');
  // v1 is what every client reads; the others are there for who asks.
  return v2 ? 'v2' : hybrid ? 'hybrid' : 'v1';
}
