/** Where a torrent's files are, and how that changes. Start with `relocation.ts`. */
export { CommandPlace } from './command-place.ts';
export { isSamePlace, type Place, targetAt } from './place.ts';
export { finishRelocation, relocate } from './relocation.ts';
