/** The sending half of a uTP connection: packets on the way, and which of them are lost. */
import { sequenceAdd, sequenceDistance, type UtpType } from '../../wire/index.ts';

/** Packets on the way at most: libutp's receivers keep no more out of order. */
const PACKETS_MAX = 511;
const SLOTS = 1024;
/** A packet is lost when so many that were sent after it have come. */
const LATER_ARRIVALS = 3;

/** A packet on the way. */
export interface SentPacket {
  readonly sequence: number;
  readonly type: UtpType;
  /** Header and payload. The header is rewritten each time it is sent. */
  readonly bytes: Uint8Array;
  sentAtUs: number;
  transmissions: number;
  /** Counts all transmissions of the connection: which of two was later. */
  order: number;
  /** To be sent again; not counted as on the way. */
  isLost: boolean;
}

/** What an acknowledgement brought. */
export interface AckOutcome {
  readonly ackedBytes: number;
  /** Packets that arrived, counting selectively acknowledged ones. */
  readonly ackedPackets: number;
  /** Age of the youngest packet that arrived and was sent once; null when there is none. */
  readonly roundTripUs: number | null;
  /** Whether a packet that was sent after the last reduction was found lost. */
  readonly isNewLoss: boolean;
}

/** Packets from the oldest that is not acknowledged to the newest. */
export class SendWindow {
  /** The number of the next new packet. */
  next: number;
  readonly #slots: (SentPacket | null)[] = new Array(SLOTS).fill(null);
  #oldest: number;
  #onWayBytes = 0;
  #lostCount = 0;
  #order = 0;
  /** Orders of the latest three arrivals, the latest first. */
  readonly #arrivals: number[] = new Array(LATER_ARRIVALS).fill(-1);
  /** Losses of packets up to this order have been answered by a smaller window. */
  #reducedAt = -1;
  #repeats = 0;

  constructor(first: number) {
    this.next = first;
    this.#oldest = first;
  }

  /** Payload and headers that are on the way. */
  get onWayBytes(): number {
    return this.#onWayBytes;
  }

  get isEmpty(): boolean {
    return this.#oldest === this.next;
  }

  get isFull(): boolean {
    return sequenceDistance(this.#oldest, this.next) >= PACKETS_MAX;
  }

  get hasLost(): boolean {
    return this.#lostCount > 0;
  }

  /** Whether `acknowledged` can be an honest answer to what was sent. */
  isPlausible(acknowledged: number): boolean {
    return (
      sequenceDistance(acknowledged, this.next) > 0 &&
      sequenceDistance(sequenceAdd(this.#oldest, -1 - SLOTS), acknowledged) >= 0
    );
  }

  /** Takes a new packet, numbered `next`, which is sent now. */
  add(type: UtpType, bytes: Uint8Array, nowUs: number): SentPacket {
    const packet: SentPacket = {
      sequence: this.next,
      type,
      bytes,
      sentAtUs: nowUs,
      transmissions: 1,
      order: this.#order++,
      isLost: false,
    };
    this.#slots[packet.sequence % SLOTS] = packet;
    this.#onWayBytes += bytes.length;
    this.next = sequenceAdd(this.next, 1);
    return packet;
  }

  /** Takes a new packet that is sent when there is room, as if it had been lost. */
  addUnsent(type: UtpType, bytes: Uint8Array): void {
    const packet = this.add(type, bytes, 0);
    packet.transmissions = 0;
    this.#lose(packet);
  }

  /** The oldest lost packet, which is sent again now. */
  takeLost(nowUs: number): SentPacket | null {
    for (let at = this.#oldest; at !== this.next; at = sequenceAdd(at, 1)) {
      const packet = this.#slots[at % SLOTS];
      if (!packet?.isLost) continue;
      packet.isLost = false;
      this.#lostCount--;
      packet.sentAtUs = nowUs;
      packet.transmissions++;
      packet.order = this.#order++;
      this.#onWayBytes += packet.bytes.length;
      return packet;
    }
    return null;
  }

  /** Everything on the way is taken for lost. */
  loseAll(): void {
    this.#reducedAt = this.#order - 1;
    for (let at = this.#oldest; at !== this.next; at = sequenceAdd(at, 1)) {
      const packet = this.#slots[at % SLOTS];
      if (packet && !packet.isLost) this.#lose(packet);
    }
  }

  /**
   * The other end has everything up to `acknowledged`, and what `mask` says. `isPure` when it sent
   * this for no other reason: repeated, it tells of a gap to ends without selective acks.
   */
  acknowledge(
    acknowledged: number,
    mask: Uint8Array | null,
    at: { readonly nowUs: number; readonly isPure: boolean },
  ): AckOutcome {
    const found = { bytes: 0, packets: 0, youngestUs: Infinity };
    const isRepeated = acknowledged === sequenceAdd(this.#oldest, -1) && !this.isEmpty;
    while (!this.isEmpty && sequenceDistance(this.#oldest, acknowledged) >= 0) {
      this.#arrive(this.#oldest, at.nowUs, found);
      this.#oldest = sequenceAdd(this.#oldest, 1);
    }
    if (mask) this.#acknowledgeSome(acknowledged, mask, { nowUs: at.nowUs, found });
    if (found.packets > 0) this.#repeats = 0;
    let isNewLoss = mask !== null && this.#findLost();
    if (isRepeated && at.isPure && found.packets === 0 && ++this.#repeats === LATER_ARRIVALS) {
      isNewLoss = this.#judge(this.#slots[this.#oldest % SLOTS] ?? null) || isNewLoss;
    }
    return {
      ackedBytes: found.bytes,
      ackedPackets: found.packets,
      roundTripUs: found.youngestUs === Infinity ? null : found.youngestUs,
      isNewLoss,
    };
  }

  #acknowledgeSome(
    acknowledged: number,
    mask: Uint8Array,
    { nowUs, found }: { readonly nowUs: number; readonly found: Found },
  ): void {
    const first = sequenceAdd(acknowledged, 2);
    const ahead = Math.min(8 * mask.length, sequenceDistance(first, this.next));
    for (let bit = 0; bit < ahead; bit++) {
      if (((mask[bit >> 3] ?? 0) >> (bit & 7)) & 1) this.#arrive(first + bit, nowUs, found);
    }
  }

  #arrive(sequence: number, nowUs: number, found: Found): void {
    const slot = (sequence & 0xffff) % SLOTS;
    const packet = this.#slots[slot];
    // It may be known by a selective ack already, or the number may be another packet's by now.
    if (packet?.sequence !== (sequence & 0xffff)) return;
    this.#slots[slot] = null;
    if (packet.isLost) this.#lostCount--;
    else this.#onWayBytes -= packet.bytes.length;
    found.bytes += packet.bytes.length;
    found.packets++;
    if (packet.transmissions === 1) {
      found.youngestUs = Math.min(found.youngestUs, nowUs - packet.sentAtUs);
    }
    this.#noteArrival(packet.order);
  }

  #noteArrival(order: number): void {
    const arrivals = this.#arrivals;
    for (let place = 0; place < LATER_ARRIVALS; place++) {
      if (order <= (arrivals[place] as number)) continue;
      arrivals.splice(place, 0, order);
      arrivals.pop();
      return;
    }
  }

  /** Marks packets that should have come before others that came. */
  #findLost(): boolean {
    const limit = this.#arrivals[LATER_ARRIVALS - 1] as number;
    let isNewLoss = false;
    for (let at = this.#oldest; at !== this.next; at = sequenceAdd(at, 1)) {
      const packet = this.#slots[at % SLOTS] ?? null;
      if (packet && packet.order < limit) isNewLoss = this.#judge(packet) || isNewLoss;
    }
    return isNewLoss;
  }

  /** Takes a packet for lost; true when the window is to be reduced for it. */
  #judge(packet: SentPacket | null): boolean {
    if (!packet || packet.isLost) return false;
    const isNewLoss = packet.order > this.#reducedAt;
    if (isNewLoss) this.#reducedAt = this.#order - 1;
    this.#lose(packet);
    return isNewLoss;
  }

  #lose(packet: SentPacket): void {
    packet.isLost = true;
    this.#lostCount++;
    this.#onWayBytes -= packet.bytes.length;
  }
}

interface Found {
  bytes: number;
  packets: number;
  youngestUs: number;
}
