/** Somebody on the local network and in the DHT who hears what nodes tell everybody. */
import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { bdecode, bencode } from '../support/bencode.ts';
import type { Endpoint } from '../support/ports.ts';

/** Where local discovery speaks (BEP 14). */
const LSD = { group: '239.192.152.143', port: 6771 };

/** What was heard of a torrent. */
export interface Bystander extends AsyncDisposable {
  /** A DHT node that answers every question, and knows nobody. */
  readonly dhtNode: Endpoint;
  /** True once the DHT, or the local network, was told of this info-hash, as hex. */
  hasHeard(where: 'dht' | 'lsd', infoHash: string): boolean;
}

/** Listens on `host`, and to the multicast of its interface. */
export async function startBystander(host: string): Promise<Bystander> {
  const heard = { dht: '', lsd: '' };
  const id = randomBytes(20);
  const dht = createSocket('udp4', (message, from) => {
    heard.dht += message.toString('hex');
    answer(dht, { message, from, id });
  });
  dht.bind(0, host);
  const lsd = createSocket({ type: 'udp4', reuseAddr: true }, (message) => {
    heard.lsd += message.toString().toLowerCase();
  });
  lsd.bind(LSD.port, LSD.group);
  await Promise.all([once(dht, 'listening'), once(lsd, 'listening')]);
  lsd.addMembership(LSD.group, host);
  return {
    dhtNode: { host, port: dht.address().port },
    hasHeard: (where, infoHash) => heard[where].includes(infoHash),
    [Symbol.asyncDispose]: async () => {
      dht.close();
      lsd.close();
    },
  };
}

/** Answers any query so that the one who asked takes this for a good node (BEP 5). */
function answer(
  socket: Socket,
  query: { readonly message: Buffer; readonly from: RemoteInfo; readonly id: Uint8Array },
): void {
  const { value } = bdecode(query.message);
  const transaction = value instanceof Map ? value.get('t') : undefined;
  if (!(value instanceof Map) || !value.has('q') || !(transaction instanceof Uint8Array)) return;
  const r = { id: query.id, nodes: '', token: 'token' };
  socket.send(bencode({ r, t: transaction, y: 'r' }), query.from.port, query.from.address);
}
