/** Peer ids in the Azureus style (BEP 20) and the names of well-known clients. */
import { type Random, randomInt } from '../../units/index.ts';

/** Two letters of ours; `BW` was free in the lists of clients we know. */
const PREFIX = '-BW0100-';

const CLIENTS: Readonly<Record<string, string>> = {
  AZ: 'Vuze',
  BI: 'BiglyBT',
  BT: 'BitTorrent',
  BW: 'Bidwidth',
  DE: 'Deluge',
  LT: 'libtorrent',
  lt: 'libTorrent (rTorrent)',
  qB: 'qBittorrent',
  TR: 'Transmission',
  UT: 'µTorrent',
  WW: 'WebTorrent',
};

/** A fresh peer id: our prefix and twelve random printable characters. */
export function makePeerId(random: Random): Uint8Array {
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';
  const id = new Uint8Array(20);
  for (let at = 0; at < 20; at++) {
    const char = at < PREFIX.length ? PREFIX[at] : alphabet[randomInt(random, alphabet.length)];
    id[at] = (char ?? '0').charCodeAt(0);
  }
  return id;
}

/** The client a peer id claims, for the screen: `Transmission 3.00`, or `unknown`. */
export function clientName(peerId: Uint8Array): string {
  const text = String.fromCharCode(...peerId.subarray(0, 8));
  const azureus = /^-([A-Za-z]{2})([0-9A-Za-z]{4})-$/.exec(text);
  if (azureus) {
    const [, letters = '', digits = ''] = azureus;
    const name = CLIENTS[letters] ?? letters;
    return `${name} ${digits.replace(/0+$/, '').split('').join('.') || '0'}`;
  }
  if (/^A2-/.test(text)) return 'aria2';
  return 'unknown';
}
