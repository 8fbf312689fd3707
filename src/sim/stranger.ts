/** Peers that are not clients of ours: each behaves badly in one way, and never tires of it. */
import type { Connection } from '../engine/index.ts';
import { type Random, randomInt } from '../units/index.ts';
import {
  decodeBencodeDict,
  encodeBare,
  encodeBencode,
  encodeBlockRef,
  encodeExtended,
  encodePex,
  MESSAGE,
  type PexPeer,
} from '../wire/index.ts';
import { randomBytes } from './memory-torrent.ts';
import type { Swarm } from './swarm.ts';
import type { SwarmNode } from './swarm-node.ts';
import { SIM_PORT } from './virtual-host.ts';
import { WirePeer } from './wire-peer.ts';

/**
 * `liar` announces everything and refuses every request; `hoarder` announces everything and
 * answers nothing; `silent` shakes hands and says nothing; `mute` does not even shake hands;
 * `slow-reader` asks for much and reads a little now and then; `babbler` sends random bytes;
 * `poisoner` tells by peer exchange of peers that are none, `POISON` always among them.
 */
export type Manner =
  | 'liar'
  | 'hoarder'
  | 'silent'
  | 'mute'
  | 'slow-reader'
  | 'babbler'
  | 'poisoner';

/** A bystander that poisoners want to have dialled by everybody. */
export const POISON: PexPeer = { host: '172.31.0.1', port: 80, flags: 0 };

const POISON_EVERY_MS = 60_000;
const POISON_FOR_MS = 3_600_000;
const THEIR_PEX_ID = 3;

const READ_EVERY_MS = 2_000;

/** What each does once it has shaken hands, on every connection. */
const MANNERS: Readonly<Record<Manner, (peer: WirePeer, swarm: Swarm) => void>> = {
  liar: (peer) => {
    claimAll(peer);
    peer.script.onRequest = (index, begin, length) =>
      peer.send(encodeBlockRef(MESSAGE.reject, { index, begin, length }));
  },
  hoarder: claimAll,
  silent: () => {},
  mute: () => {},
  'slow-reader': (peer, swarm) => {
    peer.send(encodeBare(MESSAGE.haveNone), encodeBare(MESSAGE.interested));
    peer.script.onChoke = (isChoking) => {
      for (let index = 0; !isChoking && index < swarm.pieceCount - 1; index++) {
        peer.send(encodeBlockRef(MESSAGE.request, { index, begin: 0, length: 16384 }));
      }
    };
    peer.script.onBlockStart = () => {
      nap(peer, swarm);
      return null;
    };
  },
  babbler: (peer, { random }) => peer.send(randomBytes(1 + randomInt(random, 4_000), random)),
  poisoner: (peer, swarm) => {
    peer.send(encodeExtended(0, encodeBencode({ m: { ut_pex: THEIR_PEX_ID } })));
    peer.script.onExtended = (id, payload) => {
      const ours = id === 0 && decodeBencodeDict(payload).dict('m')?.integer('ut_pex');
      if (!ours) return;
      const poison = (): void => {
        if (peer.closed === null) peer.send(encodeExtended(ours, poisonOf(swarm.random)));
      };
      poison();
      swarm.repeat(POISON_EVERY_MS, POISON_FOR_MS, poison);
    };
  },
};

function poisonOf(random: Random): Uint8Array {
  const added = Array.from({ length: 49 }, () => ({
    host: `172.31.${randomInt(random, 256)}.${1 + randomInt(random, 250)}`,
    port: 1 + randomInt(random, 65_535),
    flags: 0,
  }));
  return encodePex({ added: [POISON, ...added], dropped: [] });
}

/** A host of bad manners: it dials `victims`, and they hear of it. */
export function addStranger(swarm: Swarm, manner: Manner, victims: readonly SwarmNode[]): void {
  const host = `172.${16 + (swarm.strangerCount >> 8)}.${swarm.strangerCount & 255}.9`;
  swarm.strangerCount++;
  const peerId = Uint8Array.from(host.padEnd(20).slice(0, 20), (char) => char.charCodeAt(0));
  const meet = (other: SwarmNode | Connection): WirePeer => {
    const flags = { extended: manner === 'poisoner' };
    const peer = new WirePeer(swarm, other, { host, peerId, flags });
    peer.onOpen = () => {
      if (manner === 'mute') return;
      WirePeer.prototype.onOpen.call(peer);
      MANNERS[manner](peer, swarm);
    };
    return peer;
  };
  swarm.network.listen(host, SIM_PORT, meet);
  for (const victim of victims) {
    meet(victim);
    victim.meet([{ host, port: SIM_PORT }]);
  }
}

function claimAll(peer: WirePeer): void {
  peer.send(encodeBare(MESSAGE.haveAll), encodeBare(MESSAGE.unchoke));
}

function nap(peer: WirePeer, swarm: Swarm): void {
  peer.connection.pauseReading();
  swarm.clock.after(READ_EVERY_MS, () => {
    if (peer.closed === null) peer.connection.resumeReading();
  });
}
