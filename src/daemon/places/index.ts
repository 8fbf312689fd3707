/** Where a torrent's files are, and how that changes. Start with `relocation.ts`. */
export { MoveWhenComplete } from './move-when-complete.ts';
export { finishRelocation, type Relocation, relocate } from './relocation.ts';
