/** Which file of a torrent is played. */
import { DaemonError } from '../daemon-error.ts';
import { isPlayable } from './content-type.ts';
import type { StreamedFile, StreamedTorrent } from './streamed-torrent.ts';

/**
 * The file that `wanted` names, by number (from 1, as `info` prints them), by path, or by the end
 * of a path that only one file has. Without it the largest that a player would play, else the
 * largest of all.
 *
 * @throws DaemonError DAEMON_FILE_UNKNOWN
 */
export function chooseFile(torrent: StreamedTorrent, wanted: string | null): StreamedFile {
  const { files } = torrent;
  if (wanted === null)
    return largest(
      files.filter(({ name }) => isPlayable(name)),
      files,
    );
  const found = /^\d+$/.test(wanted) ? files[Number(wanted) - 1] : byPath(files, wanted);
  if (found) return found;
  const text = `${torrent.name} has no file ${wanted}`;
  const advice = `give a number from 1 to ${files.length}, or a path`;
  throw new DaemonError('DAEMON_FILE_UNKNOWN', `${text}: ${advice}`, {
    wanted,
    fileCount: files.length,
  });
}

function largest(playable: readonly StreamedFile[], all: readonly StreamedFile[]): StreamedFile {
  const candidates = playable.length > 0 ? playable : all;
  return candidates.reduce((best, file) => (file.lengthBytes > best.lengthBytes ? file : best));
}

function byPath(files: readonly StreamedFile[], wanted: string): StreamedFile | undefined {
  const exact = files.find(({ path }) => path === wanted);
  const ending = files.filter(({ path }) => path.endsWith(`/${wanted}`));
  return exact ?? (ending.length === 1 ? ending[0] : undefined);
}
