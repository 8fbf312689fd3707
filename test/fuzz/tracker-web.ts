/** Fuzzed bytes as what a tracker answers by HTTP, through the real client. */
import type { Socket } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { TrackerError, TrackerTransport } from '../../src/platform/tracker/index.ts';
import { AppError } from '../../src/units/index.ts';
import { type AnnounceRequest, parseTrackerUrl } from '../../src/wire/index.ts';
import { AnsweringStream, answersIn, BREAK, HELD, OtherEnd } from './answers.ts';
import { garbledServer, readGarbling } from './garbled-tls.ts';

const HOST = '8.8.4.4';
const HASH = new Uint8Array(20).fill(4);
const NEVER = new AbortController().signal;

/** An announce, and a scrape with the answers that are left. Resolves to how many peers came. */
export async function meetTracker(input: Uint8Array): Promise<number> {
  const answers = answersIn(input);
  return askTracker('http', () => {
    const answer = answers.shift();
    if (answer === undefined) throw new TrackerError('TRACKER_FAILED', 'nobody is there any more');
    return new AnsweringStream(answer) as unknown as Socket;
  });
}

/** The same by TLS, whose bytes are changed on the way. */
export async function meetTlsTracker(input: Uint8Array): Promise<number> {
  const garbling = readGarbling(input);
  const left = answersIn(garbling.answers);
  return askTracker('https', () => garbledServer(garbling, left.shift() ?? ''));
}

/** Asks a tracker at the other end of what `connect` gives. */
async function askTracker(scheme: string, connect: () => Socket): Promise<number> {
  const egress = new OtherEnd(connect);
  const transport = new TrackerTransport({ egress, resolve: async () => [HOST] });
  const url = parseTrackerUrl(`${scheme}://${HOST}/announce`);
  if (url === null) throw new Error('the URL is right');
  const ask = {
    url,
    target: { family: 4, addresses: [HOST] } as const,
    onLate: () => {},
    signal: NEVER,
  };
  const announce: AnnounceRequest = {
    infoHash: HASH,
    peerId: HASH,
    port: 6881,
    uploadedBytes: 0,
    downloadedBytes: 0,
    leftBytes: 9,
    event: 'started',
    key: 7,
    numWant: 50,
  };
  try {
    const outcome = await transport.announce({ ...ask, announce, trackerId: null });
    // Nearly always refused after a change, which says nothing of the announce.
    await transport.scrape(ask, HASH).catch(rethrowMistake);
    return outcome.ok ? outcome.reply.peers.length : 0;
  } catch (failure) {
    rethrowMistake(failure);
    throw failure;
  } finally {
    transport.close();
  }
}

/** The client puts every failure into words; a mistake of ours is none of them. */
function rethrowMistake(failure: unknown): void {
  const cause = failure instanceof AppError ? failure.cause : failure;
  if (cause instanceof TypeError || cause instanceof RangeError) throw cause;
  if (!(failure instanceof AppError)) throw failure;
}

/** Answers as trackers give them: plain, chunked, packed, moved, refused, too long. */
export function trackerAnswers(): readonly string[] {
  const announce = 'd8:intervali1800e5:peers6:abcdefe';
  const scrape = `d5:filesd20:${'\x04'.repeat(20)}d8:completei5eeee`;
  const plain = (body: string): string =>
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const packed = (encoding: string, body: Buffer): string =>
    `HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\n\r\n${body.toString('latin1')}`;
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
    `10\r\n${announce.slice(0, 16)}\r\n11;x=y\r\n${announce.slice(16)}\r\n0\r\nX: y\r\n\r\n`;
  const moved = (to: string): string =>
    `HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`;
  const refused =
    'HTTP/1.1 404 No\r\nRetry-After: 60\r\nContent-Length: 27\r\n\r\nd14:failure reason5:no, noe';
  const withZeros = Buffer.concat([gzipSync(announce), Buffer.alloc(9)]);
  const bomb = gzipSync(new Uint8Array(3_000_000));
  const talks = [
    [plain(announce), plain(scrape)],
    [chunked, packed('gzip', gzipSync(scrape))],
    [packed('gzip', gzipSync(announce)), packed('x-gzip', gzipSync(scrape))],
    [packed('deflate', deflateSync(announce)), refused],
    [moved('/other'), moved(`http://${HOST}:81/a?b`), moved('//8.8.8.8'), plain(announce)],
    [moved('https://8.8.4.4/'), moved('udp://8.8.4.4:1')],
    [packed('gzip', bomb)],
    [packed('gzip', withZeros) + HELD, plain(scrape) + HELD],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nd5:peersle'],
  ];
  return talks.map((talk) => talk.join(BREAK));
}
