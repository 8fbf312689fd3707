/** What a seller asks at least: a price of its owner's, or one that follows demand. */
import { type AttoPerMib, attoPerMib } from '../units/index.ts';

/** The reserve price a seller works with. */
export type Ask =
  | { readonly kind: 'fixed'; readonly price: AttoPerMib }
  | {
      readonly kind: 'automatic';
      /** Where it starts. */
      readonly start: AttoPerMib;
      /** It never goes below: what a byte costs its owner. */
      readonly lowest: AttoPerMib;
      readonly highest: AttoPerMib;
    };

/** How a clearing round went, as far as the ask is concerned. */
export interface AskEvidence {
  /** Bidders that found the price too high and stayed away. */
  readonly pricedOutCount: number;
  /** Bidders that are buying. */
  readonly buyingCount: number;
  /** The part of what is for sale that was bought, 0 … 1; 0 when nothing limits the upload. */
  readonly utilisation: number;
}

/** From here on the upload counts as sold out. */
const SOLD_OUT = 0.9;

/** Below this there is room for those who were priced out. */
const HALF_EMPTY = 0.5;

/** The ask of the first round. */
export function firstAsk(ask: Ask): AttoPerMib {
  return ask.kind === 'fixed' ? ask.price : clamp(ask.start, ask);
}

/**
 * The ask of the next round. A fixed ask stays. An automatic one goes
 * - down a tenth (rounded down) when bidders were priced out while at least half stood empty,
 * - up a twentieth (rounded up) when nine tenths or more were sold,
 * - and otherwise stays: with nobody there, a lower price would sell nothing more.
 */
export function nextAsk(ask: Ask, current: AttoPerMib, evidence: AskEvidence): AttoPerMib {
  if (ask.kind === 'fixed') return ask.price;
  if (evidence.pricedOutCount > 0 && evidence.utilisation < HALF_EMPTY) {
    return clamp(attoPerMib((current * 9n) / 10n), ask);
  }
  if (evidence.buyingCount > 0 && evidence.utilisation >= SOLD_OUT) {
    return clamp(attoPerMib((current * 21n + 19n) / 20n), ask);
  }
  return clamp(current, ask);
}

function clamp(price: AttoPerMib, ask: Extract<Ask, { kind: 'automatic' }>): AttoPerMib {
  if (price < ask.lowest) return ask.lowest;
  return price > ask.highest ? ask.highest : price;
}
