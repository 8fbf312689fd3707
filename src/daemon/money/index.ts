/** The node's money. Start with `money-service.ts`, then `purse.ts` and `book.ts`. */
export { type PurseAndBook, purseAndBookOver, servePurseAndBook } from './bridge.ts';
export type { ClaimSummary } from './claims.ts';
export type { Movement, MovementKind, Traffic, TrafficSide } from './history-records.ts';
export { MoneyError, type MoneyErrorCode } from './money-error.ts';
export {
  type Balances,
  type MoneyIdentity,
  type MoneyOptions,
  type MoneyService,
  openMoney,
} from './money-service.ts';
export type { RefundSummary } from './refunds.ts';
