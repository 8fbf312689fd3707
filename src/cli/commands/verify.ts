/** `bidwidth verify`: holds files against a torrent. */
import { verifyTorrent } from '../../daemon/torrents/index.ts';
import type { Context } from '../context.ts';
import { bar } from './status-line.ts';
import { Throttle } from './throttle.ts';

/** As commander collects them. */
export interface VerifyCommandOptions {
  readonly in: string;
}

/** Exit code 0 only when every piece is right. */
export async function verify(
  context: Context,
  text: string,
  options: VerifyCommandOptions,
): Promise<void> {
  const { output } = context;
  const { signal } = context.catchStop();
  const throttle = new Throttle();
  const { goodPieces, pieceCount } = await verifyTorrent(
    await context.readTorrent(text),
    options.in,
    {
      signal,
      onProgress: (checkedPieces, all) => {
        if (!throttle.isDue()) return;
        output.progress(`${bar(checkedPieces / all)} ${checkedPieces} of ${all} pieces`);
        output.event('progress', { checkedPieces, pieceCount: all });
      },
    },
  );
  const ok = goodPieces === pieceCount;
  if (!ok) context.exitCode = 1;
  const bad = pieceCount - goodPieces;
  output.summary({ ok, goodPieces, pieceCount }, [
    ok
      ? `all ${pieceCount} pieces are right`
      : `${bad} of ${pieceCount} pieces are wrong or missing`,
  ]);
}
