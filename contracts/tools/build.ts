/**
 * Compiles the contracts and writes what TypeScript needs of them to
 * `src/chain/lane-escrow.generated.ts`. With `--check` writes nothing and fails when that file is
 * stale.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runForge } from './forge.ts';
import { ROOT } from './foundry.ts';

const ARTIFACT = 'contracts/out/LaneEscrow.sol/LaneEscrow.json';
const GENERATED = 'src/chain/lane-escrow.generated.ts';

interface Artifact {
  readonly abi: readonly unknown[];
  readonly bytecode: { readonly object: string };
}

process.exitCode = build(process.argv.includes('--check'));

function build(isCheck: boolean): number {
  const failed = runForge(['build', '--quiet', 'contracts/src']);
  if (failed !== 0) return failed;
  const artifact = JSON.parse(readFileSync(join(ROOT, ARTIFACT), 'utf8')) as Artifact;
  const path = join(ROOT, GENERATED);
  const wanted = generate(artifact);
  const isFresh = existsSync(path) && readFileSync(path, 'utf8') === wanted;
  if (isFresh) return 0;
  if (isCheck) {
    console.error(`${GENERATED} is stale: run \`npm run contracts:build\` and commit it`);
    return 1;
  }
  writeFileSync(path, wanted);
  console.log(`wrote ${GENERATED}`);
  return 0;
}

/** The ABI as a literal, so that viem infers every type, one entry a line; the creation code. */
function generate({ abi, bytecode }: Artifact): string {
  return `/** Written by contracts/tools/build.ts from contracts/src/LaneEscrow.sol. Do not edit. */

/** What the LaneEscrow contract understands. */
export const laneEscrowAbi = [
${abi.map((entry) => `  ${JSON.stringify(entry, withoutInternalType)},`).join('\n')}
] as const;

/** What deploys LaneEscrow: creation code for EVM berlin, no constructor arguments. */
export const laneEscrowBytecode: \`0x\${string}\` =
  '${bytecode.object}';
`;
}

/** Drops what only the Solidity compiler understands. */
function withoutInternalType(key: string, value: unknown): unknown {
  return key === 'internalType' ? undefined : value;
}
