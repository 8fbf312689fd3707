/** The history as a table for a spreadsheet (RFC 4180). */
import { formatBtt } from '../../units/index.ts';
import type { Movement, Traffic } from './history-records.ts';

/** Movements with a head row. Lines end in CRLF. */
export function movementsCsv(movements: readonly Movement[]): string {
  return table(
    ['time', 'kind', 'amountBtt', 'feeBtt', 'subject', 'transaction'],
    movements.map(({ atMs, kind, amount, fee, subject, transactionHash }) => [
      new Date(atMs).toISOString(),
      kind,
      formatBtt(amount),
      formatBtt(fee),
      subject,
      transactionHash,
    ]),
  );
}

/** What was paid and earned by torrent and remote, with a head row. Lines end in CRLF. */
export function trafficCsv(traffic: readonly Traffic[]): string {
  return table(
    ['side', 'torrent', 'remote', 'account', 'amountBtt', 'bytes', 'lastTime'],
    traffic.map(({ side, torrentKey, remote, account, amount, byteCount, updatedAtMs }) => [
      side,
      torrentKey,
      remote,
      account,
      formatBtt(amount),
      String(byteCount),
      new Date(updatedAtMs).toISOString(),
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** A cell that begins with one of these is a formula to a spreadsheet; remotes name themselves. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
