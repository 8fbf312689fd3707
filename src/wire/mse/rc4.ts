/** The stream cipher of Message Stream Encryption: RC4 without its first 1,024 bytes. */

/** Keystream thrown away: the first bytes of RC4 tell about its key (Fluhrer et al. 2001). */
const DISCARDED_BYTES = 1024;

/** Whether a 32-bit word holds its first byte lowest, as on every machine Node runs on today. */
const isLittleEndian: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** One direction of a connection: the keystream goes on from call to call. */
export class Rc4 {
  readonly #state = new Uint8Array(256);
  #i = 0;
  #j = 0;

  /** `key` of 1 to 256 bytes. */
  constructor(key: Uint8Array) {
    const state = this.#state;
    for (let at = 0; at < 256; at++) state[at] = at;
    for (let at = 0, j = 0; at < 256; at++) {
      const value = state[at] as number;
      j = (j + value + (key[at % key.length] ?? 0)) & 255;
      state[at] = state[j] as number;
      state[j] = value;
    }
  }

  /** The cipher as a connection uses it, past the bytes that are thrown away. */
  static forStream(key: Uint8Array): Rc4 {
    const cipher = new Rc4(key);
    cipher.apply(new Uint8Array(DISCARDED_BYTES));
    return cipher;
  }

  /** Encrypts or decrypts `view` in place: both are the same. */
  apply(view: Uint8Array): void {
    const lead = isLittleEndian ? Math.min(-view.byteOffset & 3, view.length) : view.length;
    const words = (view.length - lead) >> 2;
    this.#byBytes(view, 0, lead);
    if (words > 0) {
      this.#byWords(new Uint32Array(view.buffer, view.byteOffset + lead, words));
    }
    this.#byBytes(view, lead + 4 * words, view.length);
  }

  #byBytes(view: Uint8Array, from: number, to: number): void {
    const state = this.#state;
    for (let at = from; at < to; at++) {
      this.#i = (this.#i + 1) & 255;
      const a = state[this.#i] as number;
      this.#j = (this.#j + a) & 255;
      const b = state[this.#j] as number;
      state[this.#i] = b;
      state[this.#j] = a;
      view[at] = (view[at] as number) ^ (state[(a + b) & 255] as number);
    }
  }

  /** Four bytes of keystream per write: four times as fast as byte by byte (measurements.md). */
  #byWords(view: Uint32Array): void {
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    let a = 0;
    let b = 0;
    let word = 0;
    for (let at = 0; at < view.length; at++) {
      i = (i + 1) & 255;
      a = state[i] as number;
      j = (j + a) & 255;
      b = state[j] as number;
      state[i] = b;
      state[j] = a;
      word = state[(a + b) & 255] as number;
      i = (i + 1) & 255;
      a = state[i] as number;
      j = (j + a) & 255;
      b = state[j] as number;
      state[i] = b;
      state[j] = a;
      word |= (state[(a + b) & 255] as number) << 8;
      i = (i + 1) & 255;
      a = state[i] as number;
      j = (j + a) & 255;
      b = state[j] as number;
      state[i] = b;
      state[j] = a;
      word |= (state[(a + b) & 255] as number) << 16;
      i = (i + 1) & 255;
      a = state[i] as number;
      j = (j + a) & 255;
      b = state[j] as number;
      state[i] = b;
      state[j] = a;
      word |= (state[(a + b) & 255] as number) << 24;
      view[at] = (view[at] as number) ^ word;
    }
    this.#i = i;
    this.#j = j;
  }
}
