/** A peer for the picker alone, without a connection. */
import type { Taker } from '../taker.ts';

/** A peer that has everything, is as fast as it says, and never stalls, unless told otherwise. */
export function testTaker(traits: Partial<Taker> & Pick<Taker, 'peerKey'>): Taker {
  const { receiveRate = 0 } = traits;
  return {
    canTake: () => true,
    isPending: () => false,
    receiveRate,
    deliveryMs: () => (receiveRate === 0 ? Infinity : 16_384_000 / receiveRate),
    isStalled: () => false,
    arrivingPiece: null,
    giveUpArrival: () => {},
    current: null,
    ...traits,
  };
}
