/** A torrent's bytes as one web seed gives them: ranges of files, zeros for padding. */
import { RangeClient, type RangeClientOptions } from './range-client.ts';
import { WebSeedError } from './web-seed-error.ts';
import { segmentsOf, type WebSeedFile, type WebSeedFiles, webSeedUrl } from './web-seed-files.ts';

/** A server that cannot send parts is of use for files up to this: they are kept in memory. */
const WHOLE_BYTES_MAX = 16 * 1024 * 1024;
/** Padding is given in such portions. */
const ZEROS = new Uint8Array(16 * 1024);

/** A reader of one web seed. `close` it at the end. */
export class WebSeedReader {
  readonly files: WebSeedFiles;
  readonly #url: string;
  readonly #client: RangeClient;
  /** The server does not send parts. */
  #isWhole = false;
  /** The file kept of a server that does not send parts. */
  #kept: { readonly file: WebSeedFile; readonly whole: Promise<Uint8Array> } | null = null;

  constructor(url: string, files: WebSeedFiles, options: RangeClientOptions) {
    this.#url = url;
    this.files = files;
    this.#client = new RangeClient(options);
  }

  close(): void {
    this.#client.close();
  }

  /** Finds out whether the first file is there. Throws when it is not. */
  async probe(signal: AbortSignal): Promise<void> {
    const file = this.files.files.find((one) => !one.isPad && one.lengthBytes > 0);
    if (!file) throw new WebSeedError('WEB_SEED_FAILED', 'has nothing to give');
    const { isWhole, body } = await this.#client.get(this.#ask(file, 0, 1), signal);
    body.on('error', () => {});
    if (isWhole) body.destroy();
    else await body.dump();
    this.#isWhole = isWhole;
  }

  /** Yields `length` bytes of the torrent from `start`. Throws when the server gives fewer. */
  async *read(start: number, length: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for (const segment of segmentsOf(this.files.files, start, start + length)) {
      const { file, position } = segment;
      if (file.isPad) yield* zeros(segment.length);
      else if (this.#isWhole) {
        const whole = await this.#wholeOf(file, signal);
        yield whole.subarray(position, position + segment.length);
      } else {
        const ask = this.#ask(file, position, segment.length);
        const answer = await this.#client.get(ask, signal);
        if (answer.isWhole) {
          answer.body.on('error', () => {}).destroy();
          throw new WebSeedError('WEB_SEED_FAILED', 'does not send parts of files any more');
        }
        yield* exactly(answer.body, segment.length);
      }
    }
  }

  #ask(file: WebSeedFile, position: number, length: number): Parameters<RangeClient['get']>[0] {
    const { lengthBytes: fileBytes } = file;
    return { url: webSeedUrl(this.#url, file), position, length, fileBytes };
  }

  /** The whole file, fetched once while its blocks are asked for. */
  #wholeOf(file: WebSeedFile, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#kept?.file === file) return this.#kept.whole;
    const whole = this.#fetchWhole(file, signal);
    this.#kept = { file, whole };
    return whole;
  }

  async #fetchWhole(file: WebSeedFile, signal: AbortSignal): Promise<Uint8Array> {
    if (file.lengthBytes > WHOLE_BYTES_MAX) {
      throw new WebSeedError('WEB_SEED_FAILED', 'cannot send parts of files');
    }
    const { body } = await this.#client.get(this.#ask(file, 0, file.lengthBytes), signal);
    const whole = new Uint8Array(file.lengthBytes);
    let at = 0;
    for await (const chunk of exactly(body, whole.length)) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }
}

/** The first `length` bytes of a body. More than that is not waited for; less is a failure. */
async function* exactly(
  body: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array> {
  let missing = length;
  for await (const chunk of body) {
    const taken = chunk.subarray(0, missing);
    missing -= taken.length;
    yield taken;
    if (taken.length < chunk.length) break;
  }
  if (missing > 0) throw new WebSeedError('WEB_SEED_FAILED', 'sent less than was asked for');
}

function* zeros(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}
