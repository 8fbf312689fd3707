/** Peers that are not clients of ours: each behaves badly in one way, and never tires of it. */
import type { Connection } from '../engine/index.ts';
import { randomInt } from '../units/index.ts';
import { encodeBare, encodeBlockRef, MESSAGE } from '../wire/index.ts';
import { randomBytes } from './memory-torrent.ts';
import type { Swarm } from './swarm.ts';
import type { SwarmNode } from './swarm-node.ts';
import { SIM_PORT } from './virtual-host.ts';
import { WirePeer } from './wire-peer.ts';

/**
 * `liar` announces everything and refuses every request; `hoarder` announces everything and
 * answers nothing; `silent` shakes hands and says nothing; `mute` does not even shake hands;
 * `slow-reader` asks for much and reads a little now and then; `babbler` sends random bytes.
 */
export type Manner = 'liar' | 'hoarder' | 'silent' | 'mute' | 'slow-reader' | 'babbler';

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
};

/** A host of bad manners: it dials `victims`, and they hear of it. */
export function addStranger(swarm: Swarm, manner: Manner, victims: readonly SwarmNode[]): void {
  const host = `172.16.${swarm.strangerCount++}.9`;
  const peerId = Uint8Array.from(host.padEnd(20).slice(0, 20), (char) => char.charCodeAt(0));
  const meet = (other: SwarmNode | Connection): WirePeer => {
    const peer = new WirePeer(swarm, other, { host, peerId });
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
