/** Magnet links, read and written. */
export {
  type FileRange,
  formatMagnet,
  MAGNET_CHARACTERS_MAX,
  MAGNET_ITEMS_MAX,
  type Magnet,
  type MagnetPeer,
  parseMagnet,
} from './magnet.ts';
