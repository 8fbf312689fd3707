/**
 * Open requests by block key, oldest first. Answers come in about the order of asking, so that a
 * search from the front is short; most keys that are not there are known by one look at a table.
 * Without these two it was a twentieth of a fast download's CPU time. A `Map` in this place costs
 * memory: once its table is old, V8 puts every rehash, one in 500 requests, among the old objects
 * too; 8 of 125 MB after 2 GiB.
 */

/** Room at first, a power of two; doubled as needed. */
const ROOM_MIN = 32;
/** Room is at least so many times what is in it, so that moving to its beginning is rare. */
const ROOM_TIMES = 2;
/** Slots of the table for each place: at most one in eight holds a key. */
const SLOTS_PER_PLACE = 4;
/** Spreads keys over the slots (Knuth's multiplicative hash). */
const SPREAD = 0x9e3779b1;

/** Block key → tag of the request. */
export class PendingRequests {
  #head = 0;
  #size = 0;
  #keys: Float64Array = new Float64Array(ROOM_MIN);
  #tags: Float64Array = new Float64Array(ROOM_MIN);
  /** How many keys fall on the same slot. */
  #crowd: Uint16Array = new Uint16Array(SLOTS_PER_PLACE * ROOM_MIN);

  get size(): number {
    return this.#size;
  }

  has(key: number): boolean {
    return this.#find(key) >= 0;
  }

  /** The tag of a request; undefined when there is none. */
  get(key: number): number | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : this.#tags[at];
  }

  /** Adds a request as the newest. False when it is there already: then it stays as it is. */
  add(key: number, tag: number): boolean {
    if (this.#find(key) >= 0) return false;
    if (this.#head + this.#size === this.#keys.length) this.#makeRoom();
    const at = this.#head + this.#size++;
    this.#keys[at] = key;
    this.#tags[at] = tag;
    this.#count(key, 1);
    return true;
  }

  /** False when there was no such request. */
  delete(key: number): boolean {
    const at = this.#find(key);
    if (at < 0) return false;
    this.#keys.copyWithin(this.#head + 1, this.#head, at);
    this.#tags.copyWithin(this.#head + 1, this.#head, at);
    this.#head++;
    this.#size--;
    this.#count(key, -1);
    return true;
  }

  clear(): void {
    this.#head = 0;
    this.#size = 0;
    this.#crowd.fill(0);
  }

  /** As they are now, oldest first. */
  keys(): readonly number[] {
    return [...this.#keys.subarray(this.#head, this.#head + this.#size)];
  }

  /** Where it stands; -1 when it is not there. */
  #find(key: number): number {
    if (this.#crowd[this.#slot(key)] === 0) return -1;
    const end = this.#head + this.#size;
    for (let at = this.#head; at < end; at++) if (this.#keys[at] === key) return at;
    return -1;
  }

  #slot(key: number): number {
    return (Math.imul(key, SPREAD) >>> 8) & (this.#crowd.length - 1);
  }

  #count(key: number, change: number): void {
    const slot = this.#slot(key);
    this.#crowd[slot] = (this.#crowd[slot] ?? 0) + change;
  }

  /** Moves all to the beginning of the room, or of one that is large enough. */
  #makeRoom(): void {
    const [oldKeys, oldTags, from] = [this.#keys, this.#tags, this.#head];
    const isTight = ROOM_TIMES * this.#size > oldKeys.length;
    if (isTight) {
      this.#keys = new Float64Array(2 * oldKeys.length);
      this.#tags = new Float64Array(2 * oldKeys.length);
    }
    this.#keys.set(oldKeys.subarray(from, from + this.#size));
    this.#tags.set(oldTags.subarray(from, from + this.#size));
    this.#head = 0;
    if (!isTight) return;
    this.#crowd = new Uint16Array(SLOTS_PER_PLACE * this.#keys.length);
    for (const key of this.keys()) this.#count(key, 1);
  }
}
