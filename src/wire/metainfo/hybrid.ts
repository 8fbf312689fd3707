/** A hybrid torrent says everything twice; both must mean the same bytes. */
import type { FileDraft, FileList } from './file-list.ts';

/**
 * Whether the v1 and the v2 files agree: as many of them, and the same index, path, size and place
 * for each that has bytes. Empty files may be ordered differently, as older creators did.
 */
export function isSameLayout(v2: FileList, v1: FileList): boolean {
  if (v2.files.length !== v1.files.length || v2.totalBytes !== v1.totalBytes) return false;
  return v2.files.every((file, index) => isSameFile(file, v1.files[index]));
}

function isSameFile(a: FileDraft, b: FileDraft | undefined): boolean {
  if (b === undefined || hasPayload(a) !== hasPayload(b)) return false;
  if (!hasPayload(a)) return true;
  return (
    a.lengthBytes === b.lengthBytes &&
    a.offsetBytes === b.offsetBytes &&
    a.path.length === b.path.length &&
    a.path.every((element, index) => element === b.path[index])
  );
}

function hasPayload(file: FileDraft): boolean {
  return !file.isPad && file.lengthBytes > 0;
}
