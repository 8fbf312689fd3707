/** Where the bytes of a torrent are on a web server: the URL rules of BEP 19. */

/** A file of the torrent, as far as a web server is concerned. */
export interface WebSeedFile {
  /** Path elements, the torrent's own name first. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** Where it begins in the torrent's byte space. */
  readonly offsetBytes: number;
  /** Padding is zeros, and on no server. */
  readonly isPad: boolean;
}

/** The files of a torrent, and how it is cut. */
export interface WebSeedFiles {
  readonly files: readonly WebSeedFile[];
  readonly pieceLengthBytes: number;
}

/** Part of a file that belongs to a range of the torrent. */
export interface WebSegment {
  readonly file: WebSeedFile;
  /** Offset in the file. */
  readonly position: number;
  readonly length: number;
}

/**
 * The URL of a file below a web seed's. A torrent of one file is the URL itself, unless that ends
 * in `/`: then the name follows. For more files the URL is a folder, and name and path follow.
 */
export function webSeedUrl(base: string, file: WebSeedFile): string {
  const isFolder = base.endsWith('/');
  if (file.path.length === 1 && !isFolder) return base;
  return `${base}${isFolder ? '' : '/'}${file.path.map(encodeElement).join('/')}`;
}

/** The segments of `[start, end)` of a torrent, in order. */
export function segmentsOf(
  files: readonly WebSeedFile[],
  start: number,
  end: number,
): readonly WebSegment[] {
  const segments: WebSegment[] = [];
  for (const file of files.slice(indexAt(files, start))) {
    if (file.offsetBytes >= end) break;
    const from = Math.max(start, file.offsetBytes);
    const length = Math.min(end, file.offsetBytes + file.lengthBytes) - from;
    if (length > 0) segments.push({ file, position: from - file.offsetBytes, length });
  }
  return segments;
}

/** The last file that begins at or before `offset`: empty ones before it have nothing to give. */
function indexAt(files: readonly WebSeedFile[], offset: number): number {
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((files[middle]?.offsetBytes ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  // An empty file may share its offset with the one before, which then holds the byte.
  while (low > 0 && files[low]?.lengthBytes === 0) low--;
  return low;
}

/** Everything but unreserved characters (RFC 3986). */
function encodeElement(element: string): string {
  return encodeURIComponent(element).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
