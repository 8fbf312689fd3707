/**
 * Open requests by block key, in the order they were made. Does what a `Map` of numbers would, in
 * arrays that are used again: a Map's tables, rehashed every 500 requests, outlived the young
 * generation and were 5 MB of garbage by the end of a download of 2 GiB.
 */

/** Slots at first; doubled as needed. A power of two. */
const SLOTS_MIN = 16;
const NONE = -1;

/** Block key → tag of the request. Keys are safe integers, not negative. */
export class PendingRequests {
  #size = 0;
  #keys = new Float64Array(SLOTS_MIN);
  #tags = new Float64Array(SLOTS_MIN);
  /** First slot of each bucket, and the next one in the same bucket. */
  #heads = new Int32Array(SLOTS_MIN).fill(NONE);
  #chain = new Int32Array(SLOTS_MIN);
  /** Neighbours in the order of asking; `#later` also links the free slots. */
  #earlier = new Int32Array(SLOTS_MIN);
  #later = new Int32Array(SLOTS_MIN);
  #oldest = NONE;
  #newest = NONE;
  #free = 0;

  constructor() {
    this.#freeAll();
  }

  get size(): number {
    return this.#size;
  }

  has(key: number): boolean {
    return this.#find(key) !== NONE;
  }

  /** The tag of a request; undefined when there is none. */
  get(key: number): number | undefined {
    const slot = this.#find(key);
    return slot === NONE ? undefined : this.#tags[slot];
  }

  /** Adds a request as the newest; one that is there keeps its place and changes its tag. */
  set(key: number, tag: number): void {
    const known = this.#find(key);
    if (known !== NONE) {
      this.#tags[known] = tag;
      return;
    }
    if (this.#free === NONE) this.#grow();
    const slot = this.#free;
    const bucket = this.#bucketOf(key);
    this.#free = at(this.#later, slot);
    this.#keys[slot] = key;
    this.#tags[slot] = tag;
    this.#chain[slot] = at(this.#heads, bucket);
    this.#heads[bucket] = slot;
    this.#earlier[slot] = this.#newest;
    this.#later[slot] = NONE;
    if (this.#newest === NONE) this.#oldest = slot;
    else this.#later[this.#newest] = slot;
    this.#newest = slot;
    this.#size++;
  }

  /** False when there was no such request. */
  delete(key: number): boolean {
    const slot = this.#find(key);
    if (slot === NONE) return false;
    this.#unchain(slot, this.#bucketOf(key));
    const [before, after] = [at(this.#earlier, slot), at(this.#later, slot)];
    if (before === NONE) this.#oldest = after;
    else this.#later[before] = after;
    if (after === NONE) this.#newest = before;
    else this.#earlier[after] = before;
    this.#later[slot] = this.#free;
    this.#free = slot;
    this.#size--;
    return true;
  }

  clear(): void {
    this.#size = 0;
    this.#oldest = NONE;
    this.#newest = NONE;
    this.#heads.fill(NONE);
    this.#freeAll();
  }

  /** Oldest first. Only the key just given may be deleted on the way. */
  *keys(): Generator<number, void, undefined> {
    for (let slot = this.#oldest; slot !== NONE; ) {
      const next = at(this.#later, slot);
      yield at(this.#keys, slot);
      slot = next;
    }
  }

  /** Neighbouring blocks have neighbouring keys: their low bits spread them well. */
  #bucketOf(key: number): number {
    return key % this.#heads.length;
  }

  #find(key: number): number {
    let slot = at(this.#heads, this.#bucketOf(key));
    while (slot !== NONE && this.#keys[slot] !== key) slot = at(this.#chain, slot);
    return slot;
  }

  #unchain(slot: number, bucket: number): void {
    const rest = at(this.#chain, slot);
    let link = at(this.#heads, bucket);
    if (link === slot) {
      this.#heads[bucket] = rest;
      return;
    }
    while (at(this.#chain, link) !== slot) link = at(this.#chain, link);
    this.#chain[link] = rest;
  }

  #grow(): void {
    const before = [...this.keys()].map((key) => [key, this.get(key) ?? 0] as const);
    const slots = 2 * this.#keys.length;
    this.#keys = new Float64Array(slots);
    this.#tags = new Float64Array(slots);
    this.#heads = new Int32Array(slots);
    this.#chain = new Int32Array(slots);
    this.#earlier = new Int32Array(slots);
    this.#later = new Int32Array(slots);
    this.clear();
    for (const [key, tag] of before) this.set(key, tag);
  }

  #freeAll(): void {
    for (let slot = 0; slot < this.#later.length; slot++) this.#later[slot] = slot + 1;
    this.#later[this.#later.length - 1] = NONE;
    this.#free = 0;
  }
}

/** An element of an array that is known to be there. */
function at(array: Int32Array | Float64Array, index: number): number {
  return array[index] as number;
}
