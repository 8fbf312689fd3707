/** A connection that encrypts what is written to it, once its handshake says how. */
import type { Rc4 } from '../wire/index.ts';
import type { CipherBuffers } from './cipher-buffers.ts';
import type { Connection } from './ports.ts';

/** To the engine a connection like any other; `lower` is the one that carries the bytes. */
export class SecureConnection implements Connection {
  readonly isOutbound: boolean;
  readonly #buffers: CipherBuffers;
  #lower: Connection | null = null;
  /** Written before the handshake was over. */
  #held: Uint8Array[] | null = [];
  #cipher: Rc4 | null = null;

  constructor(isOutbound: boolean, buffers: CipherBuffers) {
    this.isOutbound = isOutbound;
    this.#buffers = buffers;
  }

  /** Tells it what carries its bytes: that exists only after who listens to it. */
  attach(lower: Connection): void {
    this.#lower = lower;
  }

  get remoteHost(): string {
    return this.#lower?.remoteHost ?? '';
  }

  get remotePort(): number {
    return this.#lower?.remotePort ?? 0;
  }

  get isUtp(): boolean {
    return this.#lower?.isUtp ?? false;
  }

  get isEncrypted(): boolean {
    return this.#cipher !== null;
  }

  get queuedBytes(): number {
    return this.#lower?.queuedBytes ?? 0;
  }

  /** Removes and returns what was written so far. */
  takeHeld(): readonly Uint8Array[] {
    const held = this.#held ?? [];
    if (this.#held) this.#held = [];
    return held;
  }

  /** The handshake is over: writes go out, through `cipher` unless that is null. */
  open(cipher: Rc4 | null): void {
    const held = this.takeHeld();
    this.#held = null;
    this.#cipher = cipher;
    if (held.length > 0) this.write(held);
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    if (this.#held) {
      for (const part of parts) this.#held.push(part.slice());
      done?.();
    } else if (this.#cipher) this.#writeEncrypted(this.#cipher, parts, done);
    else this.#lower?.write(parts, done);
  }

  pauseReading(): void {
    this.#lower?.pauseReading();
  }

  resumeReading(): void {
    this.#lower?.resumeReading();
  }

  close(reason: string): void {
    this.#lower?.close(reason);
  }

  /** Encrypts a copy: the parts are lent, and may be on their way to others, too. */
  #writeEncrypted(cipher: Rc4, parts: readonly Uint8Array[], done?: () => void): void {
    let length = 0;
    for (const part of parts) length += part.length;
    const buffer = this.#buffers.take(length);
    const whole = buffer.subarray(0, length);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    cipher.apply(whole);
    this.#lower?.write([whole], () => {
      this.#buffers.give(buffer);
      done?.();
    });
  }
}
