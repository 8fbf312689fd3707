/** A loop's engine, joined to its network, its market, and what peers tell of others. */
import { classifyAddress } from '../../discovery/index.ts';
import { Engine, type EngineOptions } from '../../engine/index.ts';
import { nodeHasher } from '../../platform/disk/index.ts';
import { nodeMseCrypto, systemRandom } from '../../platform/net/index.ts';
import { bytesPerSecond, instant } from '../../units/index.ts';
import type { LoopExchange } from './loop-exchange.ts';
import { CLIENT_NAME, type LoopNetwork } from './loop-network.ts';
import type { TransferOptions } from './messages.ts';
import { joinPeerTalk } from './peer-talk.ts';

/** What it is joined to. */
export interface EngineParts {
  readonly network: LoopNetwork;
  readonly exchange: LoopExchange | null;
  /** A peer asks for a torrent that is not at work: whether it will be shortly. */
  readonly rouse: (torrentKey: string) => boolean;
}

/** Makes the engine. It dials nothing before it is ticked. */
export function makeEngine(
  options: TransferOptions,
  { network, exchange, rouse }: EngineParts,
): Engine {
  const talk = joinPeerTalk({ engine: () => engine, canDialUtp: () => network.canDialUtp });
  const engine: Engine = new Engine(
    {
      dialer: network.dialer,
      utpDialer: network.utpDialer,
      hasher: nodeHasher,
      random: systemRandom,
      classify: classifyAddress,
      clock: () => instant(performance.now()),
      extensions: [
        ...(exchange ? [exchange.extension] : []),
        ...(options.usePex ? talk.extensions : []),
      ],
      onUnreachable: (key, address) => talk.onUnreachable(key, address),
      uploadPolicy: exchange?.policy ?? null,
      encryption: { policy: options.encryption ?? 'allow', crypto: nodeMseCrypto },
      rouse,
      onDhtNode: (address) => network.dht?.addNode(address),
    },
    { clientName: CLIENT_NAME, ...limitsOf(options) },
  );
  return engine;
}

/** What is left out is the engine's to choose. */
function limitsOf(options: TransferOptions): Omit<EngineOptions, 'clientName'> {
  const { connectionsMax, peersPerTorrentMax } = options;
  return {
    uploadLimit: bytesPerSecond(options.uploadLimit),
    downloadLimit: bytesPerSecond(options.downloadLimit),
    ...(connectionsMax === undefined ? {} : { connectionsMax }),
    ...(peersPerTorrentMax === undefined ? {} : { peersPerTorrentMax }),
  };
}
