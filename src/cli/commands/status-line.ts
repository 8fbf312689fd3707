/** What a moment of a transfer looks like, for the screen and for programs. */
import type { TransferSnapshot } from '../../daemon/transfer/index.ts';
import { type Atto, type AttoPerMib, formatBtt, formatSize, perGib } from '../../units/index.ts';
import { counted } from '../counted.ts';
import type { Facts } from '../output.ts';

/** One torrent's part of a snapshot. */
export type TorrentStatus = TransferSnapshot['torrents'][number];

/** Seconds until the rest is here at the present rate; null when nothing comes. */
function etaSeconds(torrent: TorrentStatus): number | null {
  const { receiveRate, remainingBytes } = torrent;
  return receiveRate < 1 ? null : Math.ceil(remainingBytes / receiveRate);
}

/** The facts of a progress line. */
export function progressFacts(snapshot: TransferSnapshot, torrent: TorrentStatus): Facts {
  return {
    phase: torrent.phase,
    haveBytes: torrent.haveBytes,
    totalBytes: torrent.totalBytes,
    wantedBytes: torrent.wantedBytes,
    remainingBytes: torrent.remainingBytes,
    goodPieces: torrent.goodPieces,
    pieceCount: torrent.pieceCount,
    receivedBytes: torrent.receivedBytes,
    sentBytes: torrent.sentBytes,
    receiveRate: Math.round(torrent.receiveRate),
    sendRate: Math.round(torrent.sendRate),
    etaSeconds: etaSeconds(torrent),
    peers: torrent.peers.length,
    knownPeers: torrent.knownPeers,
    ...marketFacts(snapshot),
  };
}

/** Totals, and for each peer what trades with it: prices, and what either side could lose. */
function marketFacts({ exchange }: TransferSnapshot): Facts {
  if (exchange === null) return {};
  const { buyer, seller, peers } = exchange;
  return {
    ...(buyer
      ? {
          paidAtto: buyer.spent,
          boughtBytes: buyer.boughtBytes,
          vouchers: buyer.voucherCount,
        }
      : {}),
    ...(seller
      ? {
          earnedAtto: seller.earned,
          soldBytes: seller.soldBytes,
          priceAttoPerMib: seller.price,
        }
      : {}),
    market: peers.map(({ remote, payee, buying, selling }) => ({ remote, payee, buying, selling })),
  };
}

/** What peers that we buy from ask, in atto per MiB. */
function pricesPaid({ exchange }: TransferSnapshot): readonly AttoPerMib[] {
  return (exchange?.peers ?? []).flatMap(({ buying }) =>
    buying?.state === 'buying' && buying.quoted !== null ? [buying.quoted] : [],
  );
}

const BAR_WIDTH = 20;

/** ` 45% ########------------ 12.3 MiB/s, 1:05 left, 4 peers`. */
export function downloadLine(snapshot: TransferSnapshot, torrent: TorrentStatus): string {
  const peers = counted(torrent.peers.length, 'peer');
  if (torrent.totalBytes === 0) return `asking ${peers} what this torrent is`;
  const eta = etaSeconds(torrent);
  const parts = [
    `${formatSize(torrent.receiveRate)}/s`,
    ...(eta === null ? [] : [`${formatDuration(eta)} left`]),
    peers,
    ...boughtPart(snapshot),
  ];
  const { wantedBytes, remainingBytes } = torrent;
  const share = wantedBytes === 0 ? 1 : 1 - remainingBytes / wantedBytes;
  return `${bar(share)} ${parts.join(', ')}`;
}

/** `12.3 MiB/s up to 4 peers, 1.2 GiB sent, earned 0.5 BTT`. */
export function uploadLine(snapshot: TransferSnapshot, torrent: TorrentStatus): string {
  const { seller } = snapshot.exchange ?? {};
  const earned = seller ? [`earned ${shortBtt(seller.earned)} BTT`] : [];
  const price = seller ? [`price ${shortBtt(perGib(seller.price))} BTT/GiB`] : [];
  const peers = counted(torrent.peers.length, 'peer');
  const sent = `${formatSize(torrent.sentBytes)} sent`;
  const rate = `${formatSize(torrent.sendRate)}/s to ${peers}`;
  return ['seeding: ', [rate, sent, ...earned, ...price].join(', ')].join('');
}

/** ` 45% ########------------`; `share` from 0 to 1. */
export function bar(share: number): string {
  const full = Math.floor(share * BAR_WIDTH);
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  return `${percent}% ${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}`;
}

/** `7 s`, `1:05`, `2:03:04`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => `${value}`.padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Six decimals, cut off, or as many as it takes to tell it from nothing. */
export function shortBtt(amount: Atto): string {
  return formatBtt(amount).replace(/(\.0*\d{6}).*$/, (all, short: string) =>
    /^\.0{6}/.test(short) ? short : all.slice(0, 7),
  );
}

/** What was paid by now, and the highest price agreed on with a peer. */
function boughtPart(snapshot: TransferSnapshot): readonly string[] {
  const { buyer } = snapshot.exchange ?? {};
  if (!buyer) return [];
  const [highest] = pricesPaid(snapshot).toSorted((a, b) => (a > b ? -1 : 1));
  const price = highest === undefined ? '' : ` at ${shortBtt(perGib(highest))} BTT/GiB`;
  return [`paid ${shortBtt(buyer.spent)} BTT${price}`];
}
