/**
 * Purse and book across a thread border: served where the money is, used where the transfer loop
 * is. Messages of one turn of the event loop travel together.
 */
import type { MessagePort } from 'node:worker_threads';
import type {
  BuyerPurse,
  LaneAdmission,
  LaneGrant,
  PaymentContext,
  SellerBook,
  SignOutcome,
  VoucherOutcome,
} from '../../exchange/index.ts';
import type { LaneOffer, SignedVoucher, Voucher } from '../../payment/index.ts';
import type { Address, Atto } from '../../units/index.ts';

/** The two ports of the exchange. */
export interface PurseAndBook {
  readonly purse: BuyerPurse;
  readonly book: SellerBook;
}

type Question =
  | { readonly kind: 'lane'; readonly id: number; readonly payee: Address; readonly cap: Atto }
  | {
      readonly kind: 'sign';
      readonly id: number;
      readonly voucher: Voucher;
      readonly context: PaymentContext;
    }
  | { readonly kind: 'release'; readonly allotment: string; readonly lane: number }
  | { readonly kind: 'admit'; readonly id: number; readonly offer: LaneOffer }
  | {
      readonly kind: 'accept';
      readonly id: number;
      readonly signed: SignedVoucher;
      readonly context: PaymentContext;
    };

interface Answer {
  readonly id: number;
  readonly outcome: LaneGrant | SignOutcome | LaneAdmission | VoucherOutcome;
}

/**
 * How long questions are answered before the event loop has its turn. A thousand buyers that pay in
 * the same moment are 60 ms of signatures, and everything else of the node waits behind them.
 */
const SLICE_MS = 5;

/**
 * Messages are at least this far apart. Waking the other thread costs as much as checking a voucher
 * (0.05 ms), so under load many share a message; alone, one leaves at once.
 */
const REST_MS = 5;

/** Answers the other side of `port` with `money`, until the port closes. */
export function servePurseAndBook(port: MessagePort, money: PurseAndBook): void {
  const answers = new Outbox<Answer>(port);
  let waiting: readonly Question[] = [];
  const work = (): void => {
    const untilMs = performance.now() + SLICE_MS;
    let done = 0;
    for (const question of waiting) {
      if (performance.now() >= untilMs) break;
      done++;
      // A release has no answer, and nobody calls this for it.
      const id = question.kind === 'release' ? 0 : question.id;
      perform(money, question, (outcome) => answers.add({ id, outcome }));
    }
    waiting = waiting.slice(done);
    if (waiting.length > 0) setImmediate(work);
  };
  // Only our own code is at the other end of the port.
  port.on('message', (questions: readonly Question[]) => {
    const isIdle = waiting.length === 0;
    waiting = isIdle ? questions : [...waiting, ...questions];
    if (isIdle) work();
  });
}

/** Purse and book as the transfer loop sees them. When the port closes, what waits is refused. */
export function purseAndBookOver(port: MessagePort): PurseAndBook {
  const far = new FarMoney(port);
  return { purse: far, book: far };
}

function perform(
  { purse, book }: PurseAndBook,
  question: Question,
  done: (outcome: Answer['outcome']) => void,
): void {
  switch (question.kind) {
    case 'lane':
      purse.requestLane(question.payee, question.cap, done);
      break;
    case 'sign':
      purse.signVoucher(question.voucher, question.context, done);
      break;
    case 'release':
      purse.releaseLane(question.allotment, question.lane);
      break;
    case 'admit':
      book.admitLane(question.offer, done);
      break;
    case 'accept':
      book.acceptVoucher(question.signed, question.context, done);
      break;
  }
}

class FarMoney implements BuyerPurse, SellerBook {
  readonly #questions: Outbox<Question>;
  /** Bounded by what the exchange has under way: a lane and a voucher a session. */
  readonly #waiting = new Map<number, (outcome: never) => void>();
  #nextId = 1;
  #isClosed = false;

  constructor(port: MessagePort) {
    this.#questions = new Outbox<Question>(port);
    port.on('message', (answers: readonly Answer[]) => {
      for (const { id, outcome } of answers) this.#settle(id, outcome);
    });
    port.on('close', () => {
      this.#isClosed = true;
      for (const id of [...this.#waiting.keys()]) this.#settle(id, CLOSED);
    });
  }

  requestLane(payee: Address, cap: Atto, done: (grant: LaneGrant) => void): void {
    this.#ask(done, (id) => ({ kind: 'lane', id, payee, cap }));
  }

  signVoucher(voucher: Voucher, context: PaymentContext, done: (out: SignOutcome) => void): void {
    this.#ask(done, (id) => ({ kind: 'sign', id, voucher, context }));
  }

  releaseLane(allotment: string, lane: number): void {
    if (!this.#isClosed) this.#questions.add({ kind: 'release', allotment, lane });
  }

  admitLane(offer: LaneOffer, done: (admission: LaneAdmission) => void): void {
    this.#ask(done, (id) => ({ kind: 'admit', id, offer }));
  }

  acceptVoucher(
    signed: SignedVoucher,
    context: PaymentContext,
    done: (outcome: VoucherOutcome) => void,
  ): void {
    // A view of a receive buffer would be cloned with the whole buffer behind it.
    const own = { voucher: signed.voucher, signature: signed.signature.slice() };
    this.#ask(done, (id) => ({ kind: 'accept', id, signed: own, context }));
  }

  #ask<Outcome>(done: (outcome: Outcome) => void, question: (id: number) => Question): void {
    const id = this.#nextId++;
    // The answer to an id is of the kind its question asked for, so `done` gets what it takes.
    this.#waiting.set(id, done as (outcome: never) => void);
    if (this.#isClosed) setImmediate(() => this.#settle(id, CLOSED));
    else this.#questions.add(question(id));
  }

  #settle(id: number, outcome: Answer['outcome']): void {
    const done = this.#waiting.get(id);
    this.#waiting.delete(id);
    done?.(outcome as never);
  }
}

const CLOSED = {
  ok: false,
  refusal: { code: 'money-closed', text: 'the wallet is being closed' },
} as const;

/** Posts what was added during one turn of the event loop, or while it rests, as one message. */
class Outbox<T> {
  readonly #port: MessagePort;
  #items: T[] = [];
  #restUntilMs = 0;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  add(item: T): void {
    if (this.#items.push(item) > 1) return;
    const restMs = this.#restUntilMs - performance.now();
    if (restMs > 0) setTimeout(() => this.#post(), restMs);
    else setImmediate(() => this.#post());
  }

  #post(): void {
    const items = this.#items;
    this.#items = [];
    this.#restUntilMs = performance.now() + REST_MS;
    this.#port.postMessage(items);
  }
}
