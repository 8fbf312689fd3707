/** `bidwidth info`: what a torrent or magnet link says. */
import { describeTorrent, type TorrentDescription } from '../../daemon/torrents/index.ts';
import { formatSize } from '../../units/index.ts';
import type { Context } from '../context.ts';

/** Files listed for people; programs get them all. */
const FILES_SHOWN = 100;

/** Prints the description. */
export async function info(context: Context, text: string): Promise<void> {
  const description = describeTorrent(await context.readTorrent(text));
  context.output.summary({ ...description }, [...head(description), ...fileLines(description)]);
}

function head(torrent: TorrentDescription): readonly string[] {
  const pieces = `${torrent.pieceCount} of ${formatSize(torrent.pieceLengthBytes ?? 0)}`;
  const created = torrent.creationDate;
  const rows: readonly (readonly [string, string | null])[] = [
    ['name', torrent.name],
    ['v1 info-hash', torrent.infoHashV1],
    ['v2 info-hash', torrent.infoHashV2],
    ['size', torrent.totalBytes === null ? null : formatSize(torrent.totalBytes)],
    ['pieces', torrent.pieceCount === null ? null : pieces],
    ['private', torrent.private ? 'yes: peers come from its trackers only' : null],
    ['comment', torrent.comment],
    ['made by', torrent.createdBy],
    ['made on', created === null ? null : formatDate(created)],
    ...torrent.trackers.map((url) => ['tracker', url] as const),
    ...torrent.webSeeds.map((url) => ['web seed', url] as const),
  ];
  return rows.flatMap(([label, value]) => (value ? [`${label.padEnd(13)} ${value}`] : []));
}

function fileLines({ files }: TorrentDescription): readonly string[] {
  if (files === null) return ['(the files are known once a peer has sent the metadata)'];
  const shown = files.slice(0, FILES_SHOWN).map(({ lengthBytes, path }, nth) => {
    const number = `${nth + 1}`.padStart(`${files.length}`.length);
    return `${number}  ${formatSize(lengthBytes).padStart(10)}  ${path}`;
  });
  const more = files.length - shown.length;
  return more > 0 ? [...shown, `and ${more} more files (--json lists all)`] : shown;
}

/** A date any torrent may claim, however absurd. */
function formatDate(seconds: number): string | null {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().slice(0, 10);
}
