/** Fuzzed datagrams, several in one input, at our uTP and our DHT node while they are at work. */

import { Dht } from '../../src/discovery/index.ts';
import { type Connection, type ConnectionEvents, UtpHost } from '../../src/engine/index.ts';
import { type Instant, instant, seededRandom } from '../../src/units/index.ts';
import { decodeKrpc, encodeUtp, type UtpHeader } from '../../src/wire/index.ts';
import { digests } from './streams.ts';

/** Out in the internet: the DHT takes nobody else seriously. */
const HOST = '8.8.4.4';
const PORT = 1000;
/** Of the connection our side dials. */
const ID = 77;
const TARGET = new Uint8Array(20).fill(0x61);
/** Each datagram follows its length in one byte and the milliseconds before it in another. */
const HEAD_BYTES = 2;
const DATAGRAMS_MAX = 64;

/** Datagrams at a uTP socket that has dialled somebody and lets others in. */
export function meetUtp(input: Uint8Array): void {
  let now = 1_000;
  const events: ConnectionEvents = {
    onOpen: () => {},
    onBytes: () => {},
    onDrain: () => {},
    onClosed: () => {},
  };
  const host = new UtpHost({
    send: () => {},
    nowUs: () => now * 1000,
    randomNumber: () => ID,
    wake: () => {},
    accept: (connection: Connection) => {
      connection.write([new Uint8Array(3000)]);
      return events;
    },
  });
  host.connect(HOST, PORT, events).write([new Uint8Array(3000)]);
  for (const { afterMs, datagram } of datagramsOf(input)) {
    now += afterMs;
    host.onDatagram(datagram, HOST, PORT);
    host.settle();
    host.tick();
  }
  host.close('the end');
  host.tick();
}

/** Datagrams at a DHT node that looks for peers; it is asked, answered and lied to. */
export function meetDht(input: Uint8Array): void {
  let now = instant(1_000);
  const dht = seekingDht(now, () => {});
  for (const { afterMs, datagram } of datagramsOf(input)) {
    now = instant(now + afterMs);
    dht.onPacket(datagram, { host: HOST, port: PORT }, now);
    dht.tick(now);
  }
}

function seekingDht(now: Instant, send: (packet: Uint8Array) => void): Dht {
  const ports = { send, random: seededRandom(1), sha1: digests.sha1, verify: () => true };
  const dht = new Dht(ports, { families: [4, 6], saved: [], isReadOnly: false }, now);
  dht.bootstrap([{ host: HOST, port: PORT }]);
  dht.findPeers({
    infoHash: TARGET,
    announce: { port: 7, isPortImplied: false, isSeed: false },
    isScrape: true,
    onPeers: () => {},
    onDone: () => {},
  });
  return dht;
}

/** Several datagrams as one input. */
function packDatagrams(datagrams: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(datagrams.flatMap((one) => [Uint8Array.of(one.length, 20), one])),
  );
}

/** What a uTP peer sends: opens, sends data, acknowledges, closes. */
export function utpTalk(): Uint8Array {
  const usual = { connectionId: ID + 1, timestamp: 1, delay: 1, windowBytes: 1 << 16 };
  const packets: readonly UtpHeader[] = [
    { ...usual, type: 'syn', connectionId: 500, sequence: 1, acknowledged: 0 },
    { ...usual, type: 'data', connectionId: 501, sequence: 2, acknowledged: ID },
    { ...usual, type: 'state', connectionId: ID, sequence: 9, acknowledged: 1 },
    { ...usual, type: 'state', connectionId: ID, sequence: 9, acknowledged: 2 },
    { ...usual, type: 'data', connectionId: ID, sequence: 9, acknowledged: 3 },
    { ...usual, type: 'fin', connectionId: 501, sequence: 3, acknowledged: ID + 1 },
    { ...usual, type: 'reset', connectionId: ID, sequence: 10, acknowledged: 3 },
  ];
  return packDatagrams([
    ...packets.map((header) => encodeUtp(header, null)),
    encodeUtp({ ...usual, type: 'state', sequence: 9, acknowledged: 1 }, new Uint8Array(4).fill(5)),
  ]);
}

/** Answers to what our node asks first, and questions of its own. */
export function dhtTalk(): Uint8Array {
  const asked: Uint8Array[] = [];
  const dht = seekingDht(instant(1_000), (packet) => asked.push(packet.slice()));
  const answer = (packet: Uint8Array, id: string): Uint8Array => {
    const { transactionId } = decodeKrpc(packet);
    const contact = (letter: string): string => `${letter.repeat(20)}\x08\x08\x04${letter}\x1a\xe1`;
    const nodes = contact('n') + contact('o');
    return latin1(
      `d1:rd2:id20:${id.repeat(20)}5:nodes${nodes.length}:${nodes}5:token2:to` +
        `6:valuesl6:\x08\x08\x06\x06\x1a\xe1ee1:t${transactionId.length}:` +
        `${String.fromCharCode(...transactionId)}1:y1:re`,
    );
  };
  const datagrams: Uint8Array[] = [];
  for (let nth = 0; nth < asked.length && nth < 6; nth++) {
    const reply = answer(asked[nth] ?? new Uint8Array(0), 'abcdef'[nth] ?? 'z');
    datagrams.push(reply);
    dht.onPacket(reply, { host: HOST, port: PORT }, instant(1_000));
  }
  const id = 'q'.repeat(20);
  const ask = (name: string, more: string): Uint8Array =>
    latin1(`d1:ad2:id20:${id}${more}e1:q${name.length}:${name}1:t2:xx1:y1:qe`);
  const hash = `9:info_hash20:${'a'.repeat(20)}`;
  datagrams.push(
    ask('ping', ''),
    ask('find_node', `6:target20:${id}`),
    ask('get_peers', `${hash}6:scrapei1e`),
    ask('announce_peer', `${hash}4:porti7e5:token2:to`),
    ask('get', `6:target20:${id}`),
    ask('sample_infohashes', `6:target20:${id}`),
  );
  return packDatagrams(datagrams);
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function* datagramsOf(
  input: Uint8Array,
): Iterable<{ readonly afterMs: number; readonly datagram: Uint8Array }> {
  let at = 0;
  for (let count = 0; at + HEAD_BYTES <= input.length && count < DATAGRAMS_MAX; count++) {
    const [length = 0, afterMs = 0] = input.subarray(at, at + HEAD_BYTES);
    at += HEAD_BYTES;
    yield { afterMs: afterMs * 50, datagram: input.slice(at, at + length) };
    at += length;
  }
}
