import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KIB, MIB } from '../units/index.ts';
import { Exposure } from './exposure.ts';

test('a stranger is trusted with one piece, whatever window it names', () => {
  const exposure = new Exposure();
  assert.equal(exposure.bound({ pieceLength: MIB, window: 16 * MIB }), MIB);
  exposure.onReceived(2 * MIB);
  assert.equal(exposure.payableBytes(2 * MIB, MIB), MIB, 'the second MiB waits for the hash');
});

test('good pieces earn trust, up to the window', () => {
  const exposure = new Exposure();
  exposure.onReceived(8 * MIB);
  exposure.onVerified(8 * MIB);
  assert.equal(exposure.bound({ pieceLength: MIB, window: 4 * MIB }), 4 * MIB);
});

test('blocks that came twice do not use up the trust for ever', () => {
  const exposure = new Exposure();
  exposure.onReceived(101 * MIB);
  exposure.onVerified(100 * MIB);
  assert.equal(exposure.unverifiedBytes, 0);
});

test('property: what is paid for and unverified stays within the bound', () => {
  const step = fc.record({ received: fc.nat(64 * KIB), isPieceDone: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.nat(MIB), (steps, bound) => {
      const exposure = new Exposure();
      let [unpaid, open] = [0, 0];
      for (const { received, isPieceDone } of steps) {
        exposure.onReceived(received);
        unpaid += received;
        open += received;
        if (isPieceDone) {
          exposure.onVerified(open);
          open = 0;
        }
        const before = exposure.unverifiedBytes - unpaid;
        const paid = exposure.payableBytes(unpaid, bound);
        assert.ok(paid >= 0 && paid <= unpaid);
        unpaid -= paid;
        assert.ok(exposure.unverifiedBytes - unpaid <= Math.max(bound, before));
      }
    }),
    { numRuns: 500 },
  );
});
