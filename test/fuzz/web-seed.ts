/** Fuzzed bytes as the answers of a web server that is said to have a torrent's files. */
import type { Socket } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import type { ConnectionEvents } from '../../src/engine/index.ts';
import { webAgent } from '../../src/platform/egress/testing/other-end.ts';
import { WebSeeds } from '../../src/platform/webseed/index.ts';
import { concatBytes, toHex } from '../../src/units/index.ts';
import { encodeBlockRef, encodeHandshake, MESSAGE } from '../../src/wire/index.ts';
import { AnsweringStream, answersIn, BREAK, OtherEnd } from './answers.ts';
import { garbledServer, readGarbling } from './garbled-tls.ts';

const INFO_HASH = new Uint8Array(20).fill(4);
const TOTAL_BYTES = 45;

const FILES = {
  pieceLengthBytes: 16_384,
  files: [file('a', 5, 0), file('b', 40, 5)],
};

/** Asks a server that answers with this for all it has. Resolves to what is missing at the end. */
export function meetWebSeed(input: Uint8Array): Promise<number> {
  const answers = answersIn(input);
  return askWebSeed('http', () => agentThatAnswers(answers));
}

/** The same by TLS, whose bytes are changed on the way. */
export function meetTlsWebSeed(input: Uint8Array): Promise<number> {
  const garbling = readGarbling(input);
  const left = answersIn(garbling.answers);
  const egress = new OtherEnd(() => garbledServer(garbling, left.shift() ?? ''));
  const target = { family: 4, addresses: ['8.8.4.4'] } as const;
  return askWebSeed('https', () => webAgent(egress, target, { connectMs: 10_000 }));
}

function askWebSeed(scheme: string, agentFor: () => Dispatcher): Promise<number> {
  const resolve = async (): Promise<string[]> => ['8.8.4.4'];
  const seeds = new WebSeeds({ userAgent: 'fuzz', resolve, agentFor });
  const key = toHex(INFO_HASH);
  const [address] = seeds.add({ key, files: FILES, onFailure: () => {} }, [
    `${scheme}://8.8.4.4/files/`,
  ]);
  const nobody = {
    connect: (): never => {
      throw new Error('a web seed is no peer');
    },
  };
  return new Promise((resolve) => {
    let missing = TOTAL_BYTES;
    const events: ConnectionEvents = {
      onOpen: () => {
        const flags = { extended: false, fast: true, dht: false };
        const peerId = new Uint8Array(20).fill(1);
        connection.write([encodeHandshake({ infoHash: INFO_HASH, peerId, flags })]);
        const requests = [0, 20, 40].map((begin) =>
          encodeBlockRef(MESSAGE.request, { index: 0, begin, length: begin === 40 ? 5 : 20 }),
        );
        connection.write([concatBytes(...requests)]);
      },
      onBytes: (view) => {
        // Messages of 13 bytes and a block; handshake and state come in ones of their own.
        if (view.length > 13 && view[4] === MESSAGE.piece) missing -= view.length - 13;
        if (view.length === 5) connection.write([new Uint8Array(4)]);
        if (missing <= 0) connection.close('it has all');
      },
      onDrain: () => {},
      onClosed: () => resolve(missing),
    };
    const { host = '', port = 0 } = address ?? {};
    const connection = seeds.dialer(nobody).connect(host, port, events);
  });
}

/** Answers as a server gives them: whole, in parts, chunked, moved, refused. */
export function webAnswers(): readonly string[] {
  const part = (range: string, body: string): string =>
    `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ${range}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
  const probe = part('0-0/5', 'a');
  const chunked =
    'HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes 0-39/40\r\n\r\n' +
    `14\r\n${'b'.repeat(20)}\r\n14;x=y\r\n${'b'.repeat(20)}\r\n0\r\n\r\n`;
  const whole = `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\naaaaa`;
  const wholeSecond = `HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n${'b'.repeat(40)}`;
  const moved = 'HTTP/1.1 302 Found\r\nLocation: http://8.8.4.4/else/\r\nContent-Length: 0\r\n\r\n';
  const talks = [
    [probe, part('0-4/5', 'aaaaa'), part('0-39/40', 'b'.repeat(40))],
    [probe, part('0-4/*', 'aaaaa'), chunked],
    [moved, probe, moved, part('0-4/5', 'aaaaa'), part('0-39/40', 'b'.repeat(40))],
    [whole, whole, wholeSecond],
    ['HTTP/1.1 416 No\r\nRetry-After: 5\r\nContent-Encoding: gzip\r\n\r\n'],
  ];
  return talks.map((talk) => talk.join(BREAK));
}

/** Each connection gives one answer, and ends. */
function agentThatAnswers(answers: string[]): Agent {
  return new Agent({
    connect: (_options, callback) => {
      const answer = answers.shift();
      // What undici needs of a socket is a stream; what else it calls it looks for first.
      const stream = answer === undefined ? null : (new AnsweringStream(answer) as unknown);
      queueMicrotask(() => {
        if (stream === null) callback(new Error('nobody is there any more'), null);
        else callback(null, stream as Socket);
      });
    },
  });
}

function file(name: string, lengthBytes: number, offsetBytes: number) {
  return { path: [name], lengthBytes, offsetBytes, isPad: false };
}
