/** Calls to the transfer thread that wait for their answers. */

/** Answers by id. After `fail` every call, waiting or new, is refused with that failure. */
export class PendingCalls {
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #failure: Error | null = null;
  #nextId = 1;

  /** A call is made: its id, and what it will come to. */
  begin(): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = this.#nextId++;
    if (this.#failure) return { id, answer: Promise.reject(this.#failure) };
    const call = Promise.withResolvers<unknown>();
    this.#waiting.set(id, call);
    return { id, answer: call.promise };
  }

  resolve(id: number, value: unknown): void {
    this.#take(id)?.resolve(value);
  }

  refuse(id: number, failure: Error): void {
    this.#take(id)?.reject(failure);
  }

  /** The other side is gone. */
  fail(failure: Error): void {
    this.#failure ??= failure;
    for (const id of [...this.#waiting.keys()]) this.refuse(id, failure);
  }

  #take(id: number): PromiseWithResolvers<unknown> | undefined {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    return call;
  }
}
