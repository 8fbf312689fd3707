/** The uploading side of one peer: requests it made that are not answered yet, in order. */

/** A peer's request. `tag` is the extension's mark at the time it was received. */
export interface ServeRequest {
  readonly index: number;
  readonly begin: number;
  readonly length: number;
  readonly tag: number;
}

/** Requests kept per peer: what we announce as `reqq` (libtorrent's number too). */
export const SERVE_QUEUE_MAX = 2000;

/** First in, first out, with cancellation. */
export class ServeQueue {
  #requests: ServeRequest[] = [];
  #head = 0;
  #byteCount = 0;

  /** Payload asked for by what is queued. */
  get byteCount(): number {
    return this.#byteCount;
  }

  get size(): number {
    return this.#requests.length - this.#head;
  }

  /** Queues a request; false when the queue is full. */
  push(request: ServeRequest): boolean {
    if (this.size >= SERVE_QUEUE_MAX) return false;
    this.#requests.push(request);
    this.#byteCount += request.length;
    return true;
  }

  /** The oldest request, left in place. */
  peek(): ServeRequest | null {
    return this.#requests[this.#head] ?? null;
  }

  /** Removes the oldest request. */
  shift(): void {
    this.#byteCount -= this.#requests[this.#head]?.length ?? 0;
    this.#head++;
    if (this.#head === this.#requests.length) {
      this.#requests = [];
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#requests = this.#requests.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Removes a request; false when it is not queued (any more). */
  cancel(index: number, begin: number): boolean {
    for (let at = this.#head; at < this.#requests.length; at++) {
      const request = this.#requests[at];
      if (request?.index === index && request.begin === begin) {
        this.#requests.splice(at, 1);
        this.#byteCount -= request.length;
        return true;
      }
    }
    return false;
  }

  /** Empties the queue and returns what was in it. */
  takeAll(): ServeRequest[] {
    const all = this.#requests.slice(this.#head);
    this.#requests = [];
    this.#byteCount = 0;
    this.#head = 0;
    return all;
  }
}
