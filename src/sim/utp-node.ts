/** Hosts that speak uTP over a network of datagrams. Each host's clock has an offset of its own. */
import { type PeerAddress, UtpHost } from '../engine/index.ts';
import { randomInt } from '../units/index.ts';
import type { DatagramNetwork } from './datagram-network.ts';
import { SIM_PORT } from './virtual-host.ts';
import type { Acceptor } from './virtual-network.ts';

const TICK_MS = 20;

/** A host and the real uTP on it. */
export interface UtpNode {
  readonly utp: UtpHost;
  readonly address: PeerAddress;
  /** Nothing comes or goes any more. */
  unplug(): void;
}

/** Starts uTP at `host`: `accept` is asked when somebody connects. */
export function startUtp(network: DatagramNetwork, host: string, accept: Acceptor): UtpNode {
  const { clock, random } = network;
  const offsetUs = randomInt(random, 2 ** 31) * 4;
  const address = { host, port: SIM_PORT };
  let isPlugged = true;
  const utp = new UtpHost({
    send: (packet, to, port) => {
      if (isPlugged) network.send({ packet, from: address, to: { host: to, port } });
    },
    nowUs: () => Math.floor(clock.now * 1000) + offsetUs,
    randomNumber: () => randomInt(random, 65536),
    wake: () => clock.after(0, () => utp.settle()),
    accept,
  });
  network.attach(host, (packet, from) => utp.onDatagram(packet, from.host, from.port));
  const tick = (): void => {
    utp.tick();
    clock.after(TICK_MS, tick);
  };
  tick();
  return {
    utp,
    address,
    unplug: () => {
      isPlugged = false;
      network.detach(host);
    },
  };
}
