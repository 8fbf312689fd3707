/** Limits by day and hour: which hold at a time on the wall's clock. Pure. */
import { AppError, parseRate } from '../../units/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { TransferRates } from '../transfer/messages.ts';

/** A local time, as a clock on the wall shows it: summer time is the caller's. */
export interface WallTime {
  /** 0 is Sunday. */
  readonly weekday: number;
  /** Of the day, 0 to 1439. */
  readonly minute: number;
}

/** One line: on these days, from a minute until before another, these limits. */
export interface ScheduleLine {
  /** Sunday first. */
  readonly days: readonly boolean[];
  /** Of the day, 0 to 1439. */
  readonly fromMinute: number;
  /** 1 to 1440; not after `fromMinute`, it is on the next day. */
  readonly untilMinute: number;
  /** Bytes a second; 0 pauses, `Infinity` is no limit, a missing one is as usual. */
  readonly rates: TransferRates;
}

/** The limits at `time`: of the first line that holds then, else the usual ones. */
export function ratesAt(
  lines: readonly ScheduleLine[],
  usual: Required<TransferRates>,
  time: WallTime,
): Required<TransferRates> {
  const line = lines.find((candidate) => holdsAt(candidate, time));
  return { ...usual, ...line?.rates };
}

/** Whether a line holds. A window over midnight belongs to the day it begins on. */
function holdsAt(line: ScheduleLine, { weekday, minute }: WallTime): boolean {
  const { days, fromMinute, untilMinute } = line;
  const isToday = days[weekday] ?? false;
  if (fromMinute < untilMinute) return isToday && minute >= fromMinute && minute < untilMinute;
  const isSinceYesterday = days[(weekday + 6) % 7] ?? false;
  return (isToday && minute >= fromMinute) || (isSinceYesterday && minute < untilMinute);
}

const DAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const ALL_DAYS = DAYS.map(() => true);
const DAY_MINUTES = 24 * 60;

/**
 * Reads `mon-fri 08:00-18:00 down=1M up=256K`: days (`sat,sun`; none is every day), a window (none
 * is the whole day, `22:00-06:00` is over midnight) and a rate for one direction or both. Throws
 * DAEMON_SCHEDULE_INVALID.
 */
export function parseScheduleLine(text: string): ScheduleLine {
  const words = text.trim().toLowerCase().split(/\s+/);
  const rates: { download?: number; upload?: number } = {};
  let days: readonly boolean[] | null = null;
  let window: Pick<ScheduleLine, 'fromMinute' | 'untilMinute'> | null = null;
  for (const word of words) {
    const rate = /^(down|up)=(.+)$/.exec(word);
    if (rate) {
      const direction = rate[1] === 'up' ? 'upload' : 'download';
      if (rates[direction] !== undefined) throw invalid(text, `says ${rate[1]} twice`);
      rates[direction] = readRate(text, rate[2] ?? '');
    } else if (/^\d/.test(word)) {
      if (window) throw invalid(text, 'has two windows of time: give a line for each');
      window = readWindow(text, word);
    } else {
      if (days) throw invalid(text, `has '${word}' beside its days: join days by commas`);
      days = readDays(text, word);
    }
  }
  if (Object.keys(rates).length === 0) throw invalid(text, 'has no rate: add down=1M or up=pause');
  if (!days && !window) throw invalid(text, 'has neither days nor hours: use the usual limits');
  const wholeDay = { fromMinute: 0, untilMinute: DAY_MINUTES };
  return { days: days ?? ALL_DAYS, ...(window ?? wholeDay), rates };
}

function readDays(text: string, word: string): readonly boolean[] {
  const days = DAYS.map(() => false);
  for (const part of word.split(',')) {
    const [first, last, ...others] = part.split('-').map((name) => DAYS.indexOf(name));
    if (first === undefined || first < 0 || last === -1 || others.length > 0) {
      throw invalid(text, `has '${part}' where days belong: use mon-fri or sat,sun`);
    }
    for (let day = first; ; day = (day + 1) % 7) {
      days[day] = true;
      if (day === (last ?? first)) break;
    }
  }
  return days;
}

function readWindow(text: string, word: string): Pick<ScheduleLine, 'fromMinute' | 'untilMinute'> {
  const match = /^(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)$/.exec(word);
  const [from, until] = [minuteOf(match?.[1], match?.[2]), minuteOf(match?.[3], match?.[4])];
  const isRight = from < DAY_MINUTES && until <= DAY_MINUTES && from !== until;
  if (!isRight) throw invalid(text, `has '${word}' where hours belong: use 08:00-18:00`);
  // Until midnight is until the end of the day.
  return { fromMinute: from, untilMinute: until === 0 ? DAY_MINUTES : until };
}

/** NaN when it is no time; 24:00 is one. */
function minuteOf(hours = '', minutes = ''): number {
  return Number(minutes) < 60 && hours !== '' ? Number(hours) * 60 + Number(minutes) : Number.NaN;
}

function readRate(text: string, word: string): number {
  if (word === 'pause') return 0;
  try {
    return parseRate(word);
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    throw invalid(text, `has '${word}' for a rate: use 500K, 2M, unlimited or pause`);
  }
}

function invalid(text: string, problem: string): DaemonError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new DaemonError('DAEMON_SCHEDULE_INVALID', `schedule '${shown}' ${problem}`);
}
