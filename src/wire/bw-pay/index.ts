/** The `bw_pay` extension's messages and their bytes. */
export { decodeBwPay, encodeBwPay } from './codec.ts';
export {
  type AcceptMessage,
  type AckMessage,
  type BidMessage,
  BW_PAY_CODE_BYTES_MAX,
  BW_PAY_INTEGER_MAX,
  BW_PAY_MESSAGE_BYTES_MAX,
  BW_PAY_NAME,
  BW_PAY_PATH_STEPS_MAX,
  BW_PAY_PRICE_MAX,
  BW_PAY_TEXT_BYTES_MAX,
  BW_PAY_VERSION,
  type BwPayMessage,
  type ErrorMessage,
  type HelloMessage,
  type LaneMessage,
  type QuoteMessage,
  type VoucherMessage,
} from './messages.ts';
