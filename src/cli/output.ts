/** The only place that writes: lines for people, or one JSON object per line for programs. */

/** How to write. */
export interface OutputOptions {
  readonly isJson: boolean;
}

/** A failure in one line, with its stable code. */
export interface FailureLine {
  readonly code: string;
  readonly text: string;
}

/** Facts of a JSON line. Amounts may be bigints; they are written as decimal strings. */
export type Facts = Readonly<Record<string, unknown>>;

const DEFAULT_COLUMNS = 80;

/** Standard output and error of one command. */
export class Output {
  readonly isJson: boolean;
  /** Whether a line that rewrites itself can be shown. */
  readonly isLive: boolean;
  /** Called once when nobody reads our output any more. */
  onBroken: () => void = () => process.exit(141);
  #progress = '';
  #isBroken = false;

  constructor({ isJson }: OutputOptions) {
    this.isJson = isJson;
    this.isLive = !isJson && process.stderr.isTTY === true && process.env['TERM'] !== 'dumb';
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', (failure: NodeJS.ErrnoException) => {
        if (failure.code !== 'EPIPE' || this.#isBroken) return;
        this.#isBroken = true;
        this.onBroken();
      });
    }
  }

  /** A line for people only. */
  line(text: string): void {
    if (!this.isJson) this.#write(process.stdout, plain(text));
  }

  /** Something people should know though the job goes on; programs get it as an event. */
  notice(text: string): void {
    if (this.isJson) this.event('notice', { text });
    else this.#write(process.stderr, plain(text));
  }

  /** A JSON line about what happens; nothing for people. */
  event(event: string, facts: Facts): void {
    if (this.isJson) this.#write(process.stdout, toJson({ event, ...facts }));
  }

  /** The result: the last JSON line, or the given lines for people. */
  summary(facts: Facts, lines: readonly string[]): void {
    this.progress('');
    if (this.isJson) this.#write(process.stdout, toJson(facts));
    else for (const line of lines) this.line(line);
  }

  /** Why the command failed: one line for people; for programs a last JSON line, too. */
  fail({ code, text }: FailureLine): void {
    this.progress('');
    const error = text.replace(/\s*\n\s*/g, ' ').trim();
    this.#write(process.stderr, plain(`bidwidth: ${error}`));
    if (this.isJson) this.#write(process.stdout, toJson({ ok: false, code, error }));
  }

  /** Rewrites the live line of a terminal; an empty text removes it. */
  progress(text: string): void {
    if (!this.isLive || text === this.#progress) return;
    this.#progress = text;
    const width = (process.stderr.columns || DEFAULT_COLUMNS) - 1;
    process.stderr.write(`\r\u001b[2K${plain(text).slice(0, width)}`);
  }

  /** Resolves when everything written has left the process. */
  async flush(): Promise<void> {
    if (this.#isBroken) return;
    for (const stream of [process.stdout, process.stderr]) {
      await new Promise<void>((resolve) => stream.write('', () => resolve()));
    }
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    if (this.#isBroken) return;
    const live = this.#progress;
    this.progress('');
    stream.write(`${text}\n`);
    this.progress(live);
  }
}

/** Without control characters: names in torrents are chosen by strangers. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

function toJson(facts: Facts): string {
  return JSON.stringify(facts, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
