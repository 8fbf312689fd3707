/** The table at the end, for people. */
import { formatBtt, formatSize, parseAtto } from '../src/units/index.ts';
import type { Tally } from './tally.ts';

/** Prints who got what how fast, who paid whom, and whether it adds up. */
export function printTally(tally: Tally): void {
  const { bytes, buyer, free } = tally;
  const row = (name: string, seconds: number): string =>
    `${name.padEnd(9)} ${seconds.toFixed(1).padStart(7)} s  ${formatSize(bytes / seconds)}/s`;
  const btt = (amount: string): string => `${formatBtt(parseAtto(amount))} BTT`;
  const lines = [
    '',
    row('buyer', buyer.seconds),
    ...free.map(({ seconds }, nth) => row(`free-${nth + 1}`, seconds)),
    '',
    `paying made the download ${tally.speedup} times as fast; every copy equals the source: ` +
      yesNo(tally.sha256Ok),
    '',
    `deposited ${btt(tally.depositAtto)}`,
    `paid      ${btt(tally.paidAtto)}, in ${tally.vouchers} vouchers`,
    `earned    ${btt(tally.earnedAtto)}`,
    `claimed   ${btt(tally.claimedAtto)}`,
    `refunded  ${btt(tally.refundedAtto)}`,
    `gas       ${tally.gasUsed} in all`,
    '',
    `deposit = claimed + refunded and paid = earned = claimed: ${yesNo(tally.conserved)}`,
    `all of it took ${tally.seconds} s`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function yesNo(isTrue: boolean): string {
  return isTrue ? 'yes' : 'NO';
}
