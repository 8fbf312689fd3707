import assert from 'node:assert/strict';
import { createDiffieHellman, createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Swarm, type SwarmNode } from '../sim/index.ts';
import { MSE_PRIME_HEX, type MseCrypto } from '../wire/index.ts';
import { DialWays } from './dial-ways.ts';
import type { EncryptionPolicy } from './encryption-policy.ts';
import type { Connection, ConnectionEvents, Dialer } from './index.ts';
import { StreamSecurity } from './stream-security.ts';

const group = createDiffieHellman(MSE_PRIME_HEX, 'hex', Uint8Array.of(2));

const crypto: MseCrypto = {
  sha1: (view) => createHash('sha1').update(view).digest(),
  randomBytes: (count) => randomBytes(count),
  newKeyPair: () => {
    const secret = randomBytes(20);
    const padded = (number: Uint8Array): Uint8Array => {
      const view = new Uint8Array(96);
      view.set(number, 96 - number.length);
      return view;
    };
    group.setPrivateKey(secret);
    const publicKey = padded(group.generateKeys());
    const secretWith = (remote: Uint8Array): Uint8Array => {
      group.setPrivateKey(secret);
      return padded(group.computeSecret(remote));
    };
    return { publicKey, secretWith };
  },
};

/** What went over the line of one outgoing connection, as somebody on the path sees it. */
interface Line {
  sent: Uint8Array;
  received: Uint8Array;
}

/** Notes what every dialled connection carries, and cuts off those that `isCut` says. */
function tapped(dialer: Dialer, lines: Line[], isCut: (line: Line) => boolean): Dialer {
  return {
    connect: (host, port, events) => {
      const line: Line = { sent: new Uint8Array(0), received: new Uint8Array(0) };
      lines.push(line);
      const seen: ConnectionEvents = {
        onOpen: () => events.onOpen(),
        onDrain: () => events.onDrain(),
        onClosed: (reason) => events.onClosed(reason),
        onBytes: (view) => {
          line.received = Buffer.concat([line.received, view]);
          events.onBytes(view);
        },
      };
      const below = dialer.connect(host, port, seen);
      const { write } = below;
      below.write = (parts, done) => {
        line.sent = Buffer.concat([line.sent, ...parts]);
        if (isCut(line)) below.close('cut off on the way');
        else write.call(below, parts, done);
      };
      return below;
    },
  };
}

const PROTOCOL = 'BitTorrent protocol';

function shows(line: Line, text: string | Uint8Array): boolean {
  const wanted = Buffer.from(text);
  return Buffer.from(line.sent).includes(wanted) || Buffer.from(line.received).includes(wanted);
}

/** A download between two nodes; who dials is the downloader. */
function meet(
  [dialling, accepting]: readonly [EncryptionPolicy, EncryptionPolicy],
  isCut: (line: Line) => boolean = () => false,
): { swarm: Swarm; from: SwarmNode; to: SwarmNode; lines: Line[]; isDone: boolean } {
  const swarm = new Swarm({ seed: 11 });
  const lines: Line[] = [];
  const encryption = (policy: EncryptionPolicy) => ({ encryption: { policy, crypto } });
  const from = swarm.add({ has: 'all', deps: encryption(accepting) });
  const dialer = tapped(swarm.network.dialerOf('10.0.1.1'), lines, isCut);
  const to = swarm.add({ has: 'none', deps: { ...encryption(dialling), dialer } });
  to.torrent.addPeers([from.address], 'tracker');
  return { swarm, from, to, lines, isDone: swarm.runUntilComplete([to], 20_000) };
}

/** How the connection that worked began, and whether blocks could be read on the way. */
function seenOn(line: Line | undefined, swarm: Swarm): string {
  if (!line) return 'no connection';
  const begins = shows(line, PROTOCOL) ? 'plain' : 'encrypted';
  const block = swarm.memory.whole.subarray(40_000, 40_100);
  return `${begins}, blocks ${shows(line, block) ? 'readable' : 'hidden'}`;
}

test('every pair of policies meets as both sides want, or not at all', () => {
  const plain = 'plain, blocks readable';
  const hidden = 'encrypted, blocks hidden';
  const wanted: Readonly<Record<string, string>> = {
    'off off': plain,
    'off allow': plain,
    'off prefer': plain,
    'off require': 'nothing',
    'allow off': plain,
    'allow allow': plain,
    'allow prefer': plain,
    'allow require': hidden,
    'prefer off': plain,
    'prefer allow': hidden,
    'prefer prefer': hidden,
    'prefer require': hidden,
    'require off': 'nothing',
    'require allow': hidden,
    'require prefer': hidden,
    'require require': hidden,
  };
  for (const [pair, expected] of Object.entries(wanted)) {
    const [dialling, accepting] = pair.split(' ') as [EncryptionPolicy, EncryptionPolicy];
    const { swarm, lines, isDone } = meet([dialling, accepting]);
    assert.equal(isDone ? seenOn(lines.at(-1), swarm) : 'nothing', expected, pair);
    assert.ok(lines.length <= 8, `${pair}: ${lines.length} connections`);
  }
});

test('where plain connections are cut off on the way, the download comes encrypted', () => {
  const isCut = (line: Line): boolean => shows(line, PROTOCOL);
  const { swarm, lines, isDone } = meet(['allow', 'allow'], isCut);
  assert.ok(isDone);
  assert.equal(lines.length, 2, 'the second connection follows at once');
  assert.equal(seenOn(lines[1], swarm), 'encrypted, blocks hidden');
});

test('a torrent that was removed is not found by its mark any more', () => {
  const swarm = new Swarm({ seed: 3 });
  const security = new StreamSecurity({ policy: 'allow', crypto });
  const hashes = Array.from({ length: 10_000 }, () => new Uint8Array(randomBytes(20)));
  for (const hash of hashes) security.add(hash);
  const [kept, removed] = [hashes[4711], hashes[815]];
  assert.ok(kept && removed);
  security.remove(removed);
  const outcome = (infoHash: Uint8Array): string => {
    let first: string | null = null;
    const note = (what: string): void => {
      first ??= what;
    };
    const listen = (name: string): ConnectionEvents => ({
      onOpen: () => {},
      onDrain: () => {},
      onBytes: () => note(`${name} bytes`),
      onClosed: (reason) => note(reason),
    });
    const port = 1 + (infoHash[0] ?? 0);
    swarm.network.listen('192.0.2.1', port, (lower) => {
      return security.accept(lower, listen('accepted')).events;
    });
    const target = { host: '192.0.2.1', port, infoHash, way: 'encrypted' } as const;
    const link: { connection: Connection | null } = { connection: null };
    const upper: ConnectionEvents = {
      ...listen('dialled'),
      onOpen: () => link.connection?.write([new TextEncoder().encode('hello')]),
    };
    link.connection = security.dial(swarm.network.dialerOf('192.0.2.2'), target, upper);
    swarm.clock.run(1_000);
    return first ?? 'nothing';
  };
  assert.equal(outcome(kept), 'accepted bytes');
  assert.equal(outcome(removed), 'it asked for a torrent we do not have');
});

test('each way is tried once in a row, and the one that worked comes first', () => {
  const address = { host: '192.0.2.1', port: 1 };
  const ways = new DialWays(['plain', 'encrypted']);
  assert.equal(ways.next(address), 'plain');
  assert.equal(ways.onCutOff(address, 'plain'), true);
  assert.equal(ways.next(address), 'encrypted');
  assert.equal(ways.onCutOff(address, 'encrypted'), false);
  assert.equal(ways.next(address), 'plain');
  assert.equal(ways.onCutOff(address, 'plain'), true);
  ways.onWorked(address, 'encrypted');
  assert.equal(ways.next(address), 'encrypted');
  assert.equal(ways.onCutOff(address, 'encrypted'), true);
  ways.onWorked(address, 'plain');
  assert.equal(ways.next(address), 'plain');
  assert.equal(new DialWays(['encrypted']).onCutOff(address, 'encrypted'), false);
});
