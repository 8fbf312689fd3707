/** The compiled contract, for tests that deploy it themselves. */
export { laneEscrowAbi, laneEscrowBytecode } from '../lane-escrow.generated.ts';
