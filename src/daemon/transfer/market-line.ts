/** What people want to hear of the market: why paying stopped, in one plain line. */
import type { ExchangeEvent } from '../../exchange/index.ts';

const WITHDRAWN: Readonly<Record<string, string>> = {
  budget: 'the budget is used up: the download goes on for free',
  'lane-late': 'the chain is slow to open a lane: the download goes on for free until it is there',
  'piece-failed': 'sent bad data: it is paid nothing more',
  price: 'asks more than the highest price you pay: it is asked for free',
};

/** The line for an event; null for what is business as usual. */
export function marketLine(event: ExchangeEvent): string | null {
  switch (event.type) {
    case 'withdrawn': {
      const text = event.side === 'buying' ? WITHDRAWN[event.code] : undefined;
      return text === undefined ? null : `${event.remote}: ${text}`;
    }
    case 'refused':
      // Only what our own wallet says: peers' words are theirs, and may be many.
      return event.by === 'us' && event.code.startsWith('purse-')
        ? `not paying: ${event.text}`
        : null;
    case 'choked-back':
    case 'quote':
    case 'accepted':
    case 'lane':
    case 'paid':
    case 'earned':
    case 'recovered':
      return null;
  }
}
