/**
 * Open requests by block key, oldest first. Answers come in about the order of asking, so that a
 * search from the front is short. A `Map` in this place costs memory: once its table is old, V8
 * puts every rehash, one in 500 requests, among the old objects too; 8 of 125 MB after 2 GiB.
 */

/** Room at first; doubled as needed. */
const ROOM_MIN = 16;

/** Block key → tag of the request. */
export class PendingRequests {
  #size = 0;
  #keys: Float64Array = new Float64Array(ROOM_MIN);
  #tags: Float64Array = new Float64Array(ROOM_MIN);

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

  /** Adds a request as the newest; one that is there keeps its place and changes its tag. */
  set(key: number, tag: number): void {
    const known = this.#find(key);
    if (known < 0 && this.#size === this.#keys.length) this.#grow();
    const at = known < 0 ? this.#size++ : known;
    this.#keys[at] = key;
    this.#tags[at] = tag;
  }

  /** False when there was no such request. */
  delete(key: number): boolean {
    const at = this.#find(key);
    if (at < 0) return false;
    this.#keys.copyWithin(at, at + 1, this.#size);
    this.#tags.copyWithin(at, at + 1, this.#size);
    this.#size--;
    return true;
  }

  clear(): void {
    this.#size = 0;
  }

  /** As they are now, oldest first. */
  keys(): readonly number[] {
    return [...this.#keys.subarray(0, this.#size)];
  }

  /** Where it stands; keys behind the last one are left over. */
  #find(key: number): number {
    const at = this.#keys.indexOf(key);
    return at < this.#size ? at : -1;
  }

  #grow(): void {
    const [keys, tags] = [this.#keys, this.#tags];
    this.#keys = new Float64Array(2 * keys.length);
    this.#tags = new Float64Array(2 * tags.length);
    this.#keys.set(keys);
    this.#tags.set(tags);
  }
}
