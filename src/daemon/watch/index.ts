/** Folders that torrents are added from. Start with `watch-folder.ts`. */
export { WatchFolder, type WatchNews, type WatchOptions } from './watch-folder.ts';
