import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EscrowDigests, nobleSecp256k1 } from '../../payment/index.ts';
import { soloBook, soloOffer } from './testing/solo-book.ts';

const folder = mkdtempSync(join(tmpdir(), 'bidwidth-durability-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const WRITER = fileURLToPath(new URL('./testing/voucher-writer.ts', import.meta.url));

test('kill -9 of a seller loses no voucher that it acknowledged', async () => {
  const path = join(folder, 'ledger.sqlite');
  let best = 0n;
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.split('\n').length > 40) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const acknowledged = BigInt(output.split('\n').at(-2) ?? 0);
    assert.ok(acknowledged > best, 'each run goes on from where the last one was killed');
    const { book, database, earnings } = soloBook(path, nobleSecp256k1);
    const { allotment, lane } = soloOffer.offer;
    best = earnings.find(allotment, lane.index)?.best ?? 0n;
    assert.ok(best >= acknowledged, `${best} on the disk, ${acknowledged} acknowledged`);
    const [claimable] = book.claimable();
    assert.ok(claimable);
    // What is stored must also be good for a claim.
    const digest = new EscrowDigests(soloOffer.domain).voucher(claimable.signed.voucher);
    const signer = nobleSecp256k1.recover(digest, claimable.signed.signature);
    assert.equal(signer, soloOffer.offer.header.signer);
    database.close();
  }
});
