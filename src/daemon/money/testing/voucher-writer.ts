/**
 * A process that takes vouchers as fast as it can and prints each amount once it is acknowledged,
 * to be killed by a test. Arguments: the ledger's path.
 */
import { EscrowDigests, nobleSecp256k1 } from '../../../payment/index.ts';
import { atto } from '../../../units/index.ts';
import { soloBook, soloOffer, voucherOf } from './solo-book.ts';
import { CONTEXT } from './two-parties.ts';

const { book } = soloBook(process.argv[2] ?? '', nobleSecp256k1);
const digests = new EscrowDigests(soloOffer.domain);
book.admitLane(soloOffer.offer, (admission) => {
  if (admission.ok) next(admission.earned + 1n);
});

function next(amount: bigint): void {
  const signed = voucherOf(digests, nobleSecp256k1, atto(amount));
  book.acceptVoucher(signed, CONTEXT, (outcome) => {
    if (outcome.ok) process.stdout.write(`${outcome.earned}\n`);
    next(amount + 1n);
  });
}
