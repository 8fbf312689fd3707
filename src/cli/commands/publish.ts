/** `bidwidth publish`: a key names a torrent, for all who follow that key (BEP 46). */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeItem, pointerTo, putItem } from '../../daemon/dht/index.ts';
import type { Context } from '../context.ts';
import { openSecret, type SignerOptions, saltOf, withDht } from './dht-options.ts';

/** As commander collects them. */
export interface PublishOptions extends SignerOptions {
  readonly keep?: true;
}

/** Nodes forget items after two hours (BEP 44). */
const AGAIN_MS = 3_600_000;

/** Signs and puts; with `--keep` again and again, until stopped. */
export async function publish(
  context: Context,
  text: string,
  options: PublishOptions,
): Promise<void> {
  const { output } = context;
  const salt = saltOf(options);
  const value = pointerTo(await context.readTorrent(text));
  const secret = await openSecret(options);
  const stop = options.keep ? context.catchStop() : null;
  await withDht(context, options, async (dht) => {
    const signer = { secret, salt, sequence: options.sequence ?? null };
    const { item, storedCount } = await putItem(dht, { value, signer });
    const { link, infoHash, publicKey, sequence } = describeItem(item);
    const facts = { link, infoHash, publicKey, sequence, storedCount };
    const line = `${infoHash} is published at ${storedCount} nodes (sequence ${sequence})`;
    if (stop) {
      output.event('published', facts);
      output.line(`${line}; kept there until Ctrl-C. Its link:`);
      output.line(`${link}`);
    }
    while (stop && !stop.signal.aborted) {
      await sleep(AGAIN_MS, null, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) break;
      const again = await dht.putItem(item);
      output.event('kept', { storedCount: again.storedCount });
      if (again.storedCount === 0) output.notice('no node took it again; still trying each hour');
    }
    const hint = 'nodes forget it in two hours: --keep, or those who follow it, keep it there';
    output.summary({ ok: true, ...facts }, stop ? ['stopped'] : [line, hint, `${link}`]);
  });
}
