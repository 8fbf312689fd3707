/** What the demo shows while it runs: a bar per downloader, and what the seller does. */
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { formatBtt, formatSize, parseAtto } from '../src/units/index.ts';
import type { Actor, Fact } from './actor.ts';
import type { Cast } from './stage.ts';

const REFRESH_MS = 500;

/** Without a terminal, a line per downloader so often. */
const PLAIN_MS = 5_000;

const NAME_WIDTH = 7;

/** Shows the cast until `done` resolves. */
export async function show(cast: Cast, totalBytes: number, done: Promise<unknown>): Promise<void> {
  const isLive = process.stderr.isTTY === true;
  const view = isLive ? liveView(cast, totalBytes) : plainView(cast, totalBytes);
  const timer = setInterval(view.refresh, isLive ? REFRESH_MS : PLAIN_MS);
  try {
    await done;
    view.refresh();
  } finally {
    clearInterval(timer);
    view.close();
  }
}

interface View {
  refresh(): void;
  close(): void;
}

function liveView(cast: Cast, totalBytes: number): View {
  const bars = new MultiBar(
    { format: '{name} {bar} {percentage}%  {text}', hideCursor: true, clearOnComplete: false },
    Presets.shades_classic,
  );
  const players = downloaders(cast).map((actor): [Actor, SingleBar] => [
    actor,
    bars.create(totalBytes, 0, { name: actor.name.padEnd(NAME_WIDTH), text: '' }),
  ]);
  const seller = bars.create(1, 0, { name: '', text: '' }, { format: 'seller  {text}' });
  return {
    refresh() {
      for (const [actor, bar] of players) {
        bar.update(haveOf(actor, totalBytes), { text: describe(actor) });
      }
      seller.update(0, { text: describeSeller(cast.seller) });
    },
    close: () => bars.stop(),
  };
}

function plainView(cast: Cast, totalBytes: number): View {
  return {
    refresh() {
      for (const actor of downloaders(cast)) {
        const percent = Math.floor((100 * haveOf(actor, totalBytes)) / totalBytes);
        const name = actor.name.padEnd(NAME_WIDTH);
        process.stderr.write(`${name} ${`${percent}`.padStart(3)}%  ${describe(actor)}\n`);
      }
      process.stderr.write(`seller       ${describeSeller(cast.seller)}\n`);
    },
    close: () => {},
  };
}

function downloaders({ buyer, free }: Cast): readonly Actor[] {
  return [buyer, ...free];
}

function haveOf(actor: Actor, totalBytes: number): number {
  if (actor.last['ok'] === true) return totalBytes;
  return Number(actor.latest.get('progress')?.['haveBytes'] ?? 0);
}

function describe(actor: Actor): string {
  const progress = actor.latest.get('progress') ?? {};
  const paid = progress['paidAtto'];
  const money = paid === undefined ? '' : `, paid ${btt(paid)} BTT`;
  if (actor.last['ok'] === true) return `done after ${actor.last['seconds']} s${money}`;
  return `${rate(progress, 'receiveRate')}${money}`;
}

function describeSeller({ latest }: Actor): string {
  const progress = latest.get('progress') ?? {};
  return `${rate(progress, 'sendRate')} up, earned ${btt(progress['earnedAtto'] ?? '0')} BTT`;
}

function rate(progress: Fact, key: string): string {
  return `${formatSize(Number(progress[key] ?? 0))}/s`;
}

function btt(amount: unknown): string {
  return formatBtt(parseAtto(`${amount}`)).replace(/(\.\d{3})\d+$/, '$1');
}
