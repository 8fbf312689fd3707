/** What a seller remembers of strangers: grace given away, and debts left behind. All bounded. */
import type { Instant } from '../units/index.ts';
import {
  GRACE_POOL_BYTES,
  GRACE_SHARE_MAX,
  LOSS_BYTES_MAX,
  MEMORY_ENTRIES_MAX,
  MEMORY_MS,
} from './limits.ts';

/** A number per name that is forgotten after `MEMORY_MS`, or sooner when too many are kept. */
class FadingCounts {
  readonly #entries = new Map<string, { value: number; readonly since: Instant }>();

  get(name: string, now: Instant): number {
    const entry = this.#entries.get(name);
    if (!entry) return 0;
    if (now - entry.since < MEMORY_MS) return entry.value;
    this.#entries.delete(name);
    return 0;
  }

  add(name: string, change: number, now: Instant): void {
    const value = Math.max(0, this.get(name, now) + change);
    const since = this.#entries.get(name)?.since ?? now;
    if (value === 0) this.#entries.delete(name);
    else this.#entries.set(name, { value, since });
    if (this.#entries.size <= MEMORY_ENTRIES_MAX) return;
    const oldest = this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

/** Who asks for grace: its address, and the network it comes from. */
export interface GraceClaim {
  readonly identity: string;
  readonly prefix: string;
}

/** Hands out grace: credit before a lane exists. What is paid for later comes back. */
export class GraceBook {
  readonly #bytesEach: number;
  readonly #used = new FadingCounts();
  #outstanding = 0;
  #uploaded = 0;

  constructor(bytesEach: number) {
    this.#bytesEach = bytesEach;
  }

  /** Grace not paid for so far, in bytes. */
  get outstandingBytes(): number {
    return this.#outstanding;
  }

  /** Upload of any kind went out: a part of it may be given as grace. */
  onUploaded(size: number): void {
    this.#uploaded += size;
  }

  /** What an identity or a prefix could still take, in bytes. */
  left(name: string, now: Instant): number {
    const pool = GRACE_POOL_BYTES + this.#uploaded * GRACE_SHARE_MAX - this.#outstanding;
    const own = this.#bytesEach - this.#used.get(name, now);
    return Math.floor(Math.max(0, Math.min(own, pool)));
  }

  /** Takes as much as identity, prefix and the pool allow; returns how much that is. */
  take(claim: GraceClaim, now: Instant): number {
    const names = [claim.identity, claim.prefix];
    const granted = Math.min(...names.map((name) => this.left(name, now)));
    for (const name of names) this.#used.add(name, granted, now);
    this.#outstanding += granted;
    return granted;
  }

  /** Gives back what was not used, or was paid. */
  giveBack(claim: GraceClaim, size: number, now: Instant): void {
    for (const name of [claim.identity, claim.prefix]) this.#used.add(name, -size, now);
    this.#outstanding = Math.max(0, this.#outstanding - size);
  }
}

/** Remembers payers that left without paying. Never a ban: it fades, and payment outweighs it. */
export class LossBook {
  readonly #lost = new FadingCounts();
  readonly #paid = new FadingCounts();

  onLost(payer: string, size: number, now: Instant): void {
    this.#lost.add(payer, size, now);
  }

  onPaid(payer: string, size: number, now: Instant): void {
    this.#paid.add(payer, size, now);
  }

  /** Whether the payer left more behind than credit can be given for. */
  isOverdrawn(payer: string, now: Instant): boolean {
    const allowed = LOSS_BYTES_MAX + this.#paid.get(payer, now) * GRACE_SHARE_MAX;
    return this.#lost.get(payer, now) > allowed;
  }
}
