/** Torrent data on disk: layout, pieces, checking, resume records. */
export { type Allocation, allocateFiles } from './allocate-files.ts';
export { type CheckOptions, type CheckTarget, checkFiles } from './check-files.ts';
export { diskFailure } from './disk-failure.ts';
export { FileGuard } from './file-guard.ts';
export { FileLayout, type FileSegment, type LayoutFile, partsPathOf } from './file-layout.ts';
export { fitFile, longerFiles } from './fit-files.ts';
export { dropLinks, placeLinks } from './links.ts';
export { lookAt } from './look-at.ts';
export { type FileMove, finishMove, movesBetween, stageMove } from './move-files.ts';
export { nodeHasher, sha256 } from './node-hasher.ts';
export { ownFiles } from './own-files.ts';
export { Placement } from './placement.ts';
export { prepareFiles } from './prepare-files.ts';
export { isPassing, probeFolder } from './probe-folder.ts';
export { realPaths } from './real-paths.ts';
export { dropResume, loadResume, parseResume, saveResume } from './resume-file.ts';
export {
  hasAnyFile,
  isBackedByFiles,
  makeResume,
  piecesOf,
  type ResumeRecord,
  type ResumeTarget,
} from './resume-record.ts';
export { TorrentStore } from './torrent-store.ts';
export { writeWhole } from './write-whole.ts';
