/**
 * The engine's connections over `node:net`. Every socket of a thread reads into the same static
 * buffer: bytes are consumed before the read call returns, so nothing is allocated per chunk.
 */
import type net from 'node:net';
import type { Connection, ConnectionEvents } from '../../engine/index.ts';
import { plainSocketFailure } from './socket-failure.ts';

/**
 * One read takes at most this much. 256 KiB cost 7 MB more and were no faster; 1 MiB does not stay
 * in the cache until it is copied, and was a third slower (docs/measurements.md).
 */
const READ_BYTES = 128 * 1024;

/**
 * Shared by all sockets where reads are ready-based (epoll, kqueue). Windows hands the buffer to
 * the kernel until the read completes, so there every socket needs its own.
 */
const sharedBuffer = new Uint8Array(READ_BYTES);

function readBuffer(): Uint8Array {
  return process.platform === 'win32' ? new Uint8Array(64 * 1024) : sharedBuffer;
}

/** A TCP connection. Made by `dialTcp` and `listenTcp`. */
export class TcpConnection implements Connection {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly isOutbound: boolean;
  #socket: net.Socket | null = null;
  #events: ConnectionEvents | null = null;
  #closeReason: string | null = null;

  constructor(remote: { host: string; port: number }, isOutbound: boolean) {
    this.remoteHost = remote.host;
    this.remotePort = remote.port;
    this.isOutbound = isOutbound;
  }

  /** Starts delivering events; called once, before the first byte can arrive. */
  attach(socket: net.Socket, events: ConnectionEvents): void {
    this.#socket = socket;
    this.#events = events;
    socket.on('connect', () => events.onOpen());
    socket.on('drain', () => events.onDrain());
    socket.on('error', (failure) => {
      this.#closeReason ??= plainSocketFailure(failure);
    });
    // `end` is only emitted on a flowing stream without `onread`; half-open peers are of no use.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => events.onClosed(this.#closeReason ?? 'the peer hung up'));
    // It may have been refused before it had a socket.
    if (this.#closeReason !== null) socket.destroy();
  }

  /** The part of a socket's options that makes it read into the shared buffer. */
  readOptions(): net.OnReadOpts {
    return {
      buffer: readBuffer(),
      callback: (size, view) => {
        if (this.#closeReason === null) this.#events?.onBytes(view.subarray(0, size));
        return true;
      },
    };
  }

  get queuedBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    const socket = this.#socket;
    if (!socket || socket.destroyed) {
      done?.();
      return;
    }
    const last = parts.length - 1;
    socket.cork();
    for (let at = 0; at < last; at++) socket.write(parts[at] as Uint8Array);
    // The callback comes with an error, too, when the socket closes before the bytes were sent.
    socket.write(parts[last] ?? new Uint8Array(0), done ? () => done() : undefined);
    socket.uncork();
  }

  pauseReading(): void {
    this.#socket?.pause();
  }

  resumeReading(): void {
    this.#socket?.resume();
  }

  close(reason: string): void {
    this.#closeReason ??= reason;
    this.#socket?.destroy();
  }
}
