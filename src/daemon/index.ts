/**
 * The composition root: what turns the layers below into a working node.
 *
 * Each folder is a part with a door of its own, so that a command loads only what it uses; this
 * door has only what every command needs. It must never print, and never learn what an option is
 * called. Start with `transfer/` for the bytes, `torrents/` for the files, `money/` for the coins.
 *
 * @module
 */
export { DaemonError, type DaemonErrorCode } from './daemon-error.ts';
export { DataFolder, defaultDataFolder, sharedFolder } from './data-folder.ts';
export { readTorrentSource, type TorrentSource } from './torrent-source.ts';
