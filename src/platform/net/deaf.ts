/** For connections that are closed at once. */
import type { ConnectionEvents } from '../../engine/index.ts';

/** Hears nothing. */
export const DEAF: ConnectionEvents = {
  onOpen: () => {},
  onBytes: () => {},
  onDrain: () => {},
  onClosed: () => {},
};
