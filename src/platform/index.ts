/**
 * The machine: sockets, files, database, keystore, trackers over real networks.
 *
 * Fills the ports of `engine`, `discovery` and `tracker`. It must never learn what a voucher is.
 * Each folder is a part with a door of its own, because importing all of them would cost every
 * command the loading of things it does not use; start with `net/` and `disk/`.
 *
 * @module
 */
export { PlatformError, type PlatformErrorCode } from './platform-error.ts';
