/** What a player is told of a file, by the end of its name. */
import { extname } from 'node:path';

/**
 * Types that players and browsers know. Nothing a browser would run is among them: a page in a
 * torrent must not act in the name of this machine.
 */
const TYPES: Readonly<Record<string, string>> = {
  '.3gp': 'video/3gpp',
  '.avi': 'video/x-msvideo',
  '.flv': 'video/x-flv',
  '.m2ts': 'video/mp2t',
  '.m4v': 'video/mp4',
  '.mkv': 'video/x-matroska',
  '.mov': 'video/quicktime',
  '.mp4': 'video/mp4',
  '.mpeg': 'video/mpeg',
  '.mpg': 'video/mpeg',
  '.ogv': 'video/ogg',
  '.ts': 'video/mp2t',
  '.webm': 'video/webm',
  '.wmv': 'video/x-ms-wmv',
  '.aac': 'audio/aac',
  '.flac': 'audio/flac',
  '.m4a': 'audio/mp4',
  '.m4b': 'audio/mp4',
  '.mka': 'audio/x-matroska',
  '.mp3': 'audio/mpeg',
  '.oga': 'audio/ogg',
  '.ogg': 'audio/ogg',
  '.opus': 'audio/ogg',
  '.wav': 'audio/wav',
  '.wma': 'audio/x-ms-wma',
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ass': 'text/plain; charset=utf-8',
  '.nfo': 'text/plain; charset=utf-8',
  '.srt': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.vtt': 'text/vtt; charset=utf-8',
};

const UNKNOWN = 'application/octet-stream';

/** The media type for `Content-Type`; `application/octet-stream` for what is not in the table. */
export function contentTypeOf(name: string): string {
  return TYPES[extname(name).toLowerCase()] ?? UNKNOWN;
}

/** Whether a player would play it. */
export function isPlayable(name: string): boolean {
  return /^(?:video|audio)\//.test(contentTypeOf(name));
}
