/** What peers tell of others: peer exchange, and meeting those that cannot be dialled. */
import { classifyAddress } from '../../discovery/index.ts';
import {
  type Engine,
  Holepunch,
  type PeerAddress,
  PeerExchange,
  type PeerExtension,
} from '../../engine/index.ts';
import { PEX_FLAG } from '../../wire/index.ts';

/** Both extensions, joined. */
export interface PeerTalk {
  readonly extensions: readonly PeerExtension[];
  /** Nobody took our connection to an address. */
  onUnreachable(torrentKey: string, address: PeerAddress): void;
}

/** Joins them for an engine that is made with them; `canDialUtp` is asked when it matters. */
export function joinPeerTalk(deps: {
  readonly engine: () => Engine;
  readonly canDialUtp: () => boolean;
}): PeerTalk {
  const { engine, canDialUtp } = deps;
  const common = {
    torrentOf: (key: string) => engine().torrents.get(key) ?? null,
    classify: classifyAddress,
  };
  const holepunch = new Holepunch({
    ...common,
    isAble: canDialUtp,
    isOwn: (address) => engine().own.isAt(address),
    punch: (key, address) => engine().punch(key, address),
  });
  const pex = new PeerExchange({
    ...common,
    isHolepuncher: (peerKey) => holepunch.isSpokenBy(peerKey),
    onTold: (peerKey, { host, port, flags }) => {
      if (flags & PEX_FLAG.holepunch) holepunch.onTold(peerKey, { host, port });
    },
  });
  return {
    extensions: [pex, holepunch],
    onUnreachable: (key, address) => holepunch.onUnreachable(key, address),
  };
}
