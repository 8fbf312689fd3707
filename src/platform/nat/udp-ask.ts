/** One question to the router by UDP, asked again until it answers (RFC 6886, 3.1). */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { AppError } from '../../units/index.ts';

/** What is asked, of whom. */
export interface UdpQuestion<Answer> {
  readonly localHost: string;
  readonly host: string;
  readonly port: number;
  readonly request: Uint8Array;
  /** The answer in a datagram, or null when it is none of ours; may throw the wire's error. */
  readonly read: (datagram: Uint8Array) => Answer | null;
  readonly signal: AbortSignal;
}

/** The first wait for an answer; each one after it is twice as long. */
const WAIT_MS = 250;
/** All of them take 1.75 s: routers are near. */
const TRIES = 3;

/** The answer; null when nobody answers, or there is no way to ask. Only `host` is heard. */
export function askByUdp<Answer>(question: UdpQuestion<Answer>): Promise<Answer | null> {
  const { localHost, host, port, request, read, signal } = question;
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(localHost) ? 'udp6' : 'udp4');
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const end = (answer: Answer | null): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.close();
      resolve(answer);
    };
    const giveUp = (): void => end(null);
    const send = (nth: number): void => {
      socket.send(request, () => {});
      const isLast = nth === TRIES - 1;
      timer = setTimeout(isLast ? giveUp : send, WAIT_MS * 2 ** nth, nth + 1);
    };
    signal.addEventListener('abort', giveUp);
    // A closed port says so ("port unreachable"): nobody will answer.
    socket.on('error', giveUp);
    socket.on('connect', () => send(0));
    socket.on('message', (datagram) => {
      const answer = attempt(() => read(datagram));
      if (answer !== null) end(answer);
    });
    // Connected, a socket is given the datagrams of this one port of the router and no others.
    socket.bind({ address: localHost, port: 0 }, () => {
      if (!isOver) socket.connect(port, host);
    });
  });
}

/** Null for what cannot be read. */
function attempt<Answer>(read: () => Answer | null): Answer | null {
  try {
    return read();
  } catch (failure) {
    if (failure instanceof AppError) return null;
    throw failure;
  }
}
