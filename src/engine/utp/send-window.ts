/** The sending half of a uTP connection: packets on the way, and which of them are lost. */
import { sequenceAdd, sequenceDistance, type UtpType } from '../../wire/index.ts';

/** Packets on the way at most: libutp's receivers keep no more out of order. */
const PACKETS_MAX = 511;
const SLOTS = 1024;
/**
 * Now and then two packets are kept back while later ones go: an honest receiver tells of the gaps,
 * and then they are sent. Who acknowledges one before acknowledges what does not come, to have us
 * send ever faster into a line that loses it (Adamsky et al. 2012). First after so many packets,
 * and up to so many more by chance: nobody can tell which it is.
 */
const FIRST_KEPT_BACK = { after: 64, spread: 1024 };
/** The second of the two: selective acks cannot name the first, which everything waits for. */
const SECOND_KEPT_BACK = { after: 1, spread: 16 };
/** Later ones are rarer: each may cost a round trip where only `PACKETS_MAX` holds us back. */
const LATER_KEPT_BACK = { after: 8192, spread: 32_768 };
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
  /** Whether a packet is acknowledged that was kept back. */
  readonly isLie: boolean;
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
  readonly #randomNumber: () => number;
  /** New packets until one is kept back. */
  #untilKeptBack: number;
  #keptBack: SentPacket[] = [];
  /** Were kept back, and are sent: repeated acks that crossed them do not make them lost. */
  #late: readonly SentPacket[] = [];

  /** `randomNumber` gives 0 to 65535, which nobody can guess. */
  constructor(first: number, randomNumber: () => number) {
    this.next = first;
    this.#oldest = first;
    this.#randomNumber = randomNumber;
    this.#untilKeptBack = this.#draw(FIRST_KEPT_BACK);
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

  /** Whether the next packet should be kept back, if another one can follow it at once. */
  get isTestDue(): boolean {
    return this.#untilKeptBack <= 0 && this.#keptBack.length < 2;
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
    this.#untilKeptBack--;
    return packet;
  }

  /** Takes a new packet that is sent when the other end has told that it lacks it. */
  addKeptBack(bytes: Uint8Array): void {
    const packet = this.add('data', bytes, 0);
    packet.transmissions = 0;
    packet.isLost = true;
    this.#onWayBytes -= bytes.length;
    this.#keptBack.push(packet);
    this.#untilKeptBack = this.#draw(SECOND_KEPT_BACK);
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
      if (!packet?.isLost || this.#keptBack.includes(packet)) continue;
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
    this.#release();
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
    const found = { bytes: 0, packets: 0, youngestUs: Infinity, isLie: false, isGap: false };
    const isRepeated = acknowledged === sequenceAdd(this.#oldest, -1) && !this.isEmpty;
    while (!this.isEmpty && sequenceDistance(this.#oldest, acknowledged) >= 0) {
      this.#arrive(this.#oldest, at.nowUs, found);
      this.#oldest = sequenceAdd(this.#oldest, 1);
    }
    if (mask) this.#acknowledgeSome(acknowledged, mask, { nowUs: at.nowUs, found });
    if (found.packets > 0) this.#repeats = 0;
    let isNewLoss = mask !== null && this.#findLost();
    if (isRepeated && at.isPure && found.packets === 0) {
      const missing = this.#slots[this.#oldest % SLOTS];
      if (missing && missing === this.#keptBack[0]) this.#release();
      else if (missing && !this.#late.includes(missing) && ++this.#repeats === LATER_ARRIVALS) {
        isNewLoss = this.#judge(missing) || isNewLoss;
      }
    }
    if (found.isGap) this.#release();
    return {
      isLie: found.isLie,
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
    const [first] = this.#keptBack;
    if (first) {
      found.isLie ||= this.#keptBack.includes(packet);
      found.isGap ||= sequenceDistance(first.sequence, sequence & 0xffff) > 0;
    }
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

  /** What was kept back is to be sent, as soon as there is room. */
  #release(): void {
    if (this.#keptBack.length === 0) return;
    this.#lostCount += this.#keptBack.length;
    this.#late = this.#keptBack;
    this.#keptBack = [];
    this.#untilKeptBack = this.#draw(LATER_KEPT_BACK);
  }

  #draw({ after, spread }: { readonly after: number; readonly spread: number }): number {
    return after + (this.#randomNumber() % spread);
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
  /** What was kept back is among them. */
  isLie: boolean;
  /** Something later than what was kept back is. */
  isGap: boolean;
}
