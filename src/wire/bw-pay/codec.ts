/**
 * Bytes of the `bw_pay` messages: bencoded dictionaries with the message's name under `t`.
 * The tables are in `docs/bep-bandwidth-market.md`; the fields' forms in `fields.ts`.
 */
import { assert, hashBytes, unixSeconds } from '../../units/index.ts';
import {
  type Bencodable,
  type BencodeDict,
  decodeBencodeDict,
  encodeBencode,
} from '../bencode/index.ts';
import { WireError } from '../wire-error.ts';
import { FieldReader, fail, writeAmount, writePath, writePrice, writeText } from './fields.ts';
import {
  BW_PAY_CODE_BYTES_MAX,
  BW_PAY_INTEGER_MAX,
  BW_PAY_MESSAGE_BYTES_MAX,
  BW_PAY_PATH_STEPS_MAX,
  BW_PAY_TEXT_BYTES_MAX,
  type BwPayMessage,
  type LaneMessage,
} from './messages.ts';

/** Sequences are positive and fit a signed 32-bit word. */
const SEQUENCE_MAX = 0x7fffffff;

/** Keys a message may have, unknown ones included: generous, yet nobody builds big maps here. */
const TOKENS_MAX = 200;

/** Containers inside unknown keys are skipped, to this depth. */
const DEPTH_MAX = 8;

type Fields = { readonly [key: string]: Bencodable };

/**
 * The message in canonical bencode. A value out of the ranges in `messages.ts` is our own mistake.
 */
export function encodeBwPay(message: BwPayMessage): Uint8Array {
  const encoded = encodeBencode({ t: message.type, ...fieldsOf(message) });
  assert(encoded.length <= BW_PAY_MESSAGE_BYTES_MAX, 'a bw_pay message is at most 4 KiB');
  return encoded;
}

/**
 * Reads one message; null when its type is not known, which a later version may send: ignore it.
 * Keeps nothing of `view`. Unknown keys are ignored.
 *
 * @throws WireError WIRE_BW_PAY
 */
export function decodeBwPay(view: Uint8Array): BwPayMessage | null {
  const dict = decodeDict(view);
  const fields = new FieldReader(dict);
  switch (fields.word('t', BW_PAY_CODE_BYTES_MAX)) {
    case 'hello':
      return {
        type: 'hello',
        version: fields.integer('v', 1, 255),
        chainId: fields.integer('chain', 1, BW_PAY_INTEGER_MAX),
        escrow: fields.address('escrow'),
        payee: fields.address('payee'),
        reserve: fields.price('reserve'),
        grace: fields.size('grace'),
        signature: fields.signature('sig'),
      };
    case 'bid':
      return {
        type: 'bid',
        budget: fields.budget('budget'),
        maxPrice: fields.price('max'),
        rate: fields.size('rate'),
        sequence: fields.integer('seq', 1, SEQUENCE_MAX),
      };
    case 'quote':
      return {
        type: 'quote',
        price: fields.price('price'),
        share: fields.size('share'),
        tick: fields.size('tick', 1),
        window: fields.size('window'),
        sequence: fields.integer('seq', 1, SEQUENCE_MAX),
      };
    case 'accept':
      return { type: 'accept', sequence: fields.integer('seq', 0, SEQUENCE_MAX) };
    case 'lane':
      return readLane(fields);
    case 'voucher':
      return {
        type: 'voucher',
        allotment: fields.hash('id'),
        lane: fields.integer('lane', 0, 127),
        amount: fields.amount('amount'),
        signature: fields.signature('sig'),
      };
    case 'ack':
      return {
        type: 'ack',
        allotment: fields.hash('id'),
        lane: fields.integer('lane', 0, 127),
        amount: fields.amount('amount'),
        metered: fields.size('metered'),
        window: fields.size('window'),
      };
    case 'error':
      return {
        type: 'error',
        code: fields.word('code', BW_PAY_CODE_BYTES_MAX),
        text: fields.text('text', BW_PAY_TEXT_BYTES_MAX),
      };
    default:
      return null;
  }
}

function decodeDict(view: Uint8Array): BencodeDict {
  if (view.length > BW_PAY_MESSAGE_BYTES_MAX) fail(`${view.length} bytes are more than 4 KiB`);
  try {
    return decodeBencodeDict(view, { depthMax: DEPTH_MAX, tokensMax: TOKENS_MAX });
  } catch (cause) {
    if (cause instanceof WireError) fail(cause.message, { cause });
    throw cause;
  }
}

function readLane(fields: FieldReader): LaneMessage {
  return {
    type: 'lane',
    allotment: fields.hash('id'),
    header: {
      payer: fields.address('payer'),
      root: fields.hash('root'),
      sum: fields.amount('sum'),
      expiry: unixSeconds(fields.integer('expiry', 0, BW_PAY_INTEGER_MAX)),
      signer: fields.address('signer'),
      depth: fields.integer('depth', 0, BW_PAY_PATH_STEPS_MAX),
      laneCount: fields.integer('lanes', 1, 128),
    },
    lane: {
      index: fields.integer('lane', 0, 127),
      payee: fields.address('payee'),
      cap: fields.amount('cap'),
    },
    path: fields.path('path', BW_PAY_PATH_STEPS_MAX),
  };
}

function fieldsOf(message: BwPayMessage): Fields {
  switch (message.type) {
    case 'hello':
      return {
        v: message.version,
        chain: message.chainId,
        escrow: hashBytes(message.escrow),
        payee: hashBytes(message.payee),
        reserve: writePrice(message.reserve),
        grace: message.grace,
        sig: message.signature,
      };
    case 'bid':
      return {
        budget: writePrice(message.budget),
        max: writePrice(message.maxPrice),
        rate: message.rate,
        seq: message.sequence,
      };
    case 'quote':
      return {
        price: writePrice(message.price),
        share: message.share,
        tick: message.tick,
        window: message.window,
        seq: message.sequence,
      };
    case 'accept':
      return { seq: message.sequence };
    case 'lane':
      return laneFields(message);
    case 'voucher':
      return {
        id: hashBytes(message.allotment),
        lane: message.lane,
        amount: writeAmount(message.amount),
        sig: message.signature,
      };
    case 'ack':
      return {
        id: hashBytes(message.allotment),
        lane: message.lane,
        amount: writeAmount(message.amount),
        metered: message.metered,
        window: message.window,
      };
    case 'error':
      return { code: message.code, text: writeText(message.text, BW_PAY_TEXT_BYTES_MAX) };
  }
}

function laneFields(message: LaneMessage): Fields {
  const { header, lane } = message;
  return {
    id: hashBytes(message.allotment),
    payer: hashBytes(header.payer),
    root: hashBytes(header.root),
    sum: writeAmount(header.sum),
    expiry: header.expiry,
    signer: hashBytes(header.signer),
    depth: header.depth,
    lanes: header.laneCount,
    lane: lane.index,
    payee: hashBytes(lane.payee),
    cap: writeAmount(lane.cap),
    path: writePath(message.path),
  };
}
