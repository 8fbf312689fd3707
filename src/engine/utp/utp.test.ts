import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  DatagramNetwork,
  Line,
  SIM_PORT,
  startUtp,
  VirtualClock,
  type WayOptions,
} from '../../sim/index.ts';
import { concatBytes, type Random, seededRandom } from '../../units/index.ts';
import {
  decodeUtp,
  encodeUtp,
  sequenceAdd,
  sequenceDistance,
  type UtpHeader,
} from '../../wire/index.ts';
import type { Connection, ConnectionEvents } from '../index.ts';

/** Writes down what happens at one end. */
class End implements ConnectionEvents {
  connection: Connection | null = null;
  readonly chunks: Uint8Array[] = [];
  received = 0;
  drains = 0;
  isOpen = false;
  closed: string | null = null;

  onOpen(): void {
    this.isOpen = true;
  }
  onBytes(view: Uint8Array): void {
    assert.equal(this.closed, null, 'nothing comes after the end');
    this.chunks.push(view.slice());
    this.received += view.length;
    // The view is borrowed, and may be changed.
    view.fill(0xee);
  }
  onDrain(): void {
    this.drains++;
  }
  onClosed(reason: string): void {
    assert.equal(this.closed, null, 'closed once');
    this.closed = reason;
  }
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/** Two hosts: `near` dials `far`. */
function pair(there: Partial<WayOptions> = {}, back: Partial<WayOptions> = there, seed = 1) {
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const network = new DatagramNetwork(clock, random);
  const lines = { there: new Line(clock, random, there), back: new Line(clock, random, back) };
  network.lay('192.0.2.1', lines.there);
  network.lay('192.0.2.2', lines.back);
  const accepted: End[] = [];
  const listen = (connection: Connection): ConnectionEvents => {
    const end = new End();
    end.connection = connection;
    accepted.push(end);
    return end;
  };
  const near = startUtp(network, '192.0.2.1', listen);
  const far = startUtp(network, '192.0.2.2', listen);
  const dial = (): End => {
    const end = new End();
    end.connection = near.utp.connect(far.address.host, far.address.port, end);
    return end;
  };
  const fromNear = (packet: Uint8Array): void =>
    network.send({ packet, from: near.address, to: far.address });
  const fromFar = (packet: Uint8Array): void =>
    network.send({ packet, from: far.address, to: near.address });
  return { clock, random, network, lines, near, far, fromNear, fromFar, accepted, dial };
}

function randomBytes(random: Random, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, () => random() * 256);
}

/** Dials, again where every answer was lost, says hello, and returns both ends. */
function meet(scene: ReturnType<typeof pair>): { near: End; far: End } {
  let near = scene.dial();
  for (let dials = 1; !scene.clock.run(20_000, () => near.isOpen); dials++) {
    assert.ok(dials < 5, 'a dial is answered');
    near = scene.dial();
  }
  near.connection?.write([new Uint8Array(1)]);
  assert.ok(
    scene.clock.run(20_000, () => scene.accepted.length > 0),
    'the dial is accepted',
  );
  const far = scene.accepted.at(-1) ?? new End();
  assert.ok(scene.clock.run(20_000, () => far.received === 1));
  far.chunks.length = 0;
  far.received = 0;
  return { near, far };
}

/** Sends `size` random bytes and waits for all of them; returns how long it took in ms. */
function send(
  scene: ReturnType<typeof pair>,
  [from, to]: readonly [End, End],
  size: number,
  limitMs = 600_000,
): number {
  const bytes = randomBytes(scene.random, size);
  const before = to.received;
  const startedAt = scene.clock.now;
  let isGivenBack = false;
  from.connection?.write([bytes.subarray(0, 7), bytes.subarray(7)], () => {
    isGivenBack = true;
  });
  const isDone = scene.clock.run(limitMs, () => to.received - before === size);
  assert.ok(isDone, `${to.received - before} of ${size} bytes came`);
  assert.ok(to.bytes.subarray(before).equals(bytes), 'the stream is what was written');
  scene.clock.run(2_000, () => isGivenBack);
  assert.ok(isGivenBack, 'lent bytes are given back');
  assert.equal(from.connection?.queuedBytes, 0);
  assert.ok(from.drains > 0);
  return scene.clock.now - startedAt;
}

/** What the sender puts on the line: numbers of packets with data, in the order they leave. */
function watchNumbers(scene: ReturnType<typeof pair>): number[] {
  const numbers: number[] = [];
  scene.network.onSent = ({ packet, from }) => {
    const header = decodeUtp(packet);
    if (from === scene.near.address && header?.type === 'data') numbers.push(header.sequence);
  };
  return numbers;
}

/** Numbers that left after a later one, and at which place. */
function lateOnes(numbers: readonly number[]): number[] {
  return numbers.flatMap((number, at) => {
    const last = numbers[at - 1];
    return last !== undefined && sequenceDistance(last, number) < 0 ? [at] : [];
  });
}

test('bytes go both ways, and both ends know each other', () => {
  const scene = pair();
  const { near, far } = meet(scene);
  send(scene, [near, far], 100_000);
  send(scene, [far, near], 100_000);
  assert.deepEqual([near.connection?.isOutbound, far.connection?.isOutbound], [true, false]);
  assert.equal(far.connection?.remoteHost, '192.0.2.1');
  assert.equal(near.connection?.remotePort, SIM_PORT);
});

test('whatever is lost, doubled, late or out of order, the stream arrives as it was', () => {
  const chance = fc.constantFrom(0, 0.01, 0.05, 0.1);
  const way = fc.record({
    latencyMs: fc.constantFrom(1, 20, 150),
    jitterMs: fc.constantFrom(0, 1, 30),
    loss: chance,
    doubling: chance,
    bytesPerSecond: fc.constantFrom(2e5, 2e6),
    queueBytes: fc.constantFrom(2e4, 3e5),
  });
  fc.assert(
    fc.property(way, way, fc.nat(), (there, back, seed) => {
      const scene = pair(there, back, seed);
      const { near, far } = meet(scene);
      send(scene, [near, far], 60_000);
      send(scene, [far, near], 60_000);
    }),
    { numRuns: 40 },
  );
});

test('a tenth of all packets lost slows the stream, and does not stop it', () => {
  const scene = pair({ loss: 0.1, latencyMs: 20 });
  const { near, far } = meet(scene);
  const ms = send(scene, [near, far], 1_000_000);
  assert.ok(ms < 60_000, `${ms} ms`);
});

test('numbers wrap around without notice', () => {
  const scene = pair({ bytesPerSecond: 50e6, latencyMs: 1 });
  const { near, far } = meet(scene);
  const numbers = watchNumbers(scene);
  for (let round = 0; round < 4; round++) {
    send(scene, [near, far], 24_000_000);
    far.chunks.length = 0;
    far.received = 0;
  }
  const late = lateOnes(numbers).length;
  assert.ok(late >= 2 && late <= 18, `${late} were kept back`);
});

test('who does not read is waited for, and nothing is lost', () => {
  const scene = pair({ latencyMs: 5 });
  const { near, far } = meet(scene);
  far.connection?.pauseReading();
  const bytes = randomBytes(scene.random, 3_000_000);
  near.connection?.write([bytes]);
  scene.clock.run(120_000);
  assert.equal(far.received, 0);
  assert.ok(
    (near.connection?.queuedBytes ?? 0) >= 1_900_000,
    'no more than a window is on the way',
  );
  assert.equal(near.closed, null, 'two minutes of silence from a reader are no failure');
  far.connection?.resumeReading();
  assert.ok(scene.clock.run(60_000, () => far.received === bytes.length));
  assert.ok(far.bytes.equals(bytes));
});

// With a download limit the tap opens and closes within one tick when others read over TCP.
test('a reader that goes on and stops again at once has read something', () => {
  const scene = pair();
  const { near, far } = meet(scene);
  far.connection?.pauseReading();
  near.connection?.write([new Uint8Array(500_000)]);
  scene.clock.run(2_000);
  assert.equal(far.received, 0);
  far.connection?.resumeReading();
  far.connection?.pauseReading();
  scene.clock.run(2_000);
  assert.ok(far.received > 60_000 && far.received < 70_000, `${far.received}`);
});

test('what was written before closing still arrives, then the end', () => {
  const scene = pair({ loss: 0.2, latencyMs: 30 }, undefined, 5);
  const { near, far } = meet(scene);
  near.connection?.write([new Uint8Array(2_000).fill(7)]);
  near.connection?.close('enough');
  assert.ok(scene.clock.run(10_000, () => near.closed !== null && far.closed !== null));
  assert.equal(near.closed, 'enough');
  assert.equal(far.closed, 'the peer hung up');
  assert.equal(far.received, 2_000);
  scene.clock.run(10_000);
  assert.deepEqual([scene.near.utp.size, scene.far.utp.size], [0, 0], 'nothing is kept');
});

test('a host that does not answer is given up within ten seconds', () => {
  const scene = pair();
  scene.far.unplug();
  const end = scene.dial();
  scene.clock.run(10_000);
  assert.equal(end.closed, 'the host does not answer');
  assert.equal(end.isOpen, false);
  assert.equal(scene.near.utp.size, 0);
});

test('a peer that vanishes is noticed while something is on the way to it', () => {
  const scene = pair();
  const { near } = meet(scene);
  scene.far.unplug();
  near.connection?.write([new Uint8Array(50_000)]);
  scene.clock.run(120_000);
  assert.equal(near.closed, 'the peer does not answer any more');
  assert.equal(scene.near.utp.size, 0);
});

test('a peer that was restarted breaks connections it knows nothing of', () => {
  const scene = pair();
  const { near, far } = meet(scene);
  scene.far.utp.close('restart');
  assert.equal(far.closed, 'restart');
  scene.clock.run(1_000, () => near.closed !== null);
  assert.equal(near.closed, 'the peer broke the connection');
});

test('an idle connection keeps its place in routers', () => {
  const scene = pair();
  meet(scene);
  let sent = 0;
  scene.network.onSent = () => sent++;
  scene.clock.run(120_000);
  assert.ok(sent >= 6 && sent <= 12, `${sent} packets in two minutes`);
});

test('a connection that is refused as it is accepted ends at both ends', () => {
  const scene = pair();
  const near = scene.dial();
  scene.clock.run(1_000, () => near.isOpen);
  near.connection?.write([new Uint8Array(1)]);
  const [first] = scene.accepted;
  assert.equal(first, undefined, 'nobody is told of a dial before data came');
  scene.clock.run(1_000, () => scene.accepted.length > 0);
  scene.accepted[0]?.connection?.close('too many');
  scene.clock.run(5_000);
  assert.equal(near.closed, 'the peer hung up');
  assert.equal(scene.accepted[0]?.closed, 'too many');
});

const state = (fields: Partial<UtpHeader>): Uint8Array =>
  encodeUtp(
    {
      type: 'state',
      connectionId: 0,
      timestamp: 0,
      delay: 0,
      windowBytes: 1e6,
      sequence: 0,
      acknowledged: 0,
      ...fields,
    },
    null,
  );

/** What comes to `far` from an address where nobody is, and what it sends. */
function forgery() {
  const scene = pair();
  const from = { host: '192.0.2.9', port: 9 };
  const sent: Uint8Array[] = [];
  let askedBytes = 0;
  scene.network.onSent = ({ packet, from: sender }) => {
    if (sender === from) askedBytes += packet.length;
    else sent.push(packet.slice());
  };
  const forge = (packet: Uint8Array): void =>
    scene.network.send({ packet, from, to: scene.far.address });
  return { ...scene, forge, sent, askedBytes: () => askedBytes };
}

test('forged requests cost bounded memory, and are never answered by more than they were', () => {
  const { clock, far, accepted, forge, sent, askedBytes } = forgery();
  for (let id = 0; id < 5_000; id++) {
    forge(state({ type: 'syn', connectionId: (id * 7) % 65536 }));
    forge(state({ type: 'data', connectionId: (id * 11) % 65536 }));
  }
  clock.run(3_000);
  assert.ok(far.utp.size <= 100, `${far.utp.size}`);
  assert.ok(sent.reduce((sum, { length }) => sum + length, 0) <= askedBytes());
  const resets = sent.filter((packet) => decodeUtp(packet)?.type === 'reset').length;
  assert.ok(resets > 0 && resets < 500, `${resets} resets`);
  assert.equal(accepted.length, 0);
  clock.run(20_000);
  assert.equal(far.utp.size, 0);
});

test('who does not know the number of our answer is not at that address: nothing is sent', () => {
  const { clock, accepted, forge, sent } = forgery();
  forge(state({ type: 'syn', connectionId: 7, sequence: 100 }));
  clock.run(500, () => sent.length > 0);
  const right = sequenceAdd(decodeUtp(sent[0] ?? new Uint8Array())?.sequence ?? 0, -1);
  const claim = (acknowledged: number): void => {
    const head = state({ type: 'data', connectionId: 8, sequence: 101, acknowledged });
    forge(concatBytes(head, Uint8Array.of(1, 2, 3)));
    clock.run(100);
  };
  for (const off of [-20_000, -3, -2, -1, 1, 2, 3, 20_000]) claim(sequenceAdd(right, off));
  assert.deepEqual([accepted.length, sent.length], [0, 1]);
  claim(right);
  assert.equal(accepted[0]?.received, 3);
});

test('a host has a thousand uTP connections that others dialled, and takes no more', () => {
  const scene = pair({ bytesPerSecond: 1e9, queueBytes: 1e9 });
  for (let nth = 0; nth < 1_100; nth++) {
    const end = scene.dial();
    scene.clock.run(100, () => end.isOpen);
    end.connection?.write([Uint8Array.of(1)]);
    scene.clock.run(10);
  }
  assert.deepEqual([scene.accepted.length, scene.far.utp.size], [1_000, 1_000]);
});

test('acknowledgements of what was never sent, and packets far ahead, change nothing', () => {
  const scene = pair();
  const { near, far } = meet(scene);
  let sample: ReturnType<typeof decodeUtp> = null;
  scene.network.onSent = ({ packet, from }) => {
    if (from === scene.far.address) sample = decodeUtp(packet) ?? sample;
  };
  send(scene, [near, far], 50_000);
  assert.ok(sample);
  const { connectionId, acknowledged, sequence } = sample as UtpHeader;
  scene.network.onSent = null;
  for (const ahead of [1, 100, 20_000, 40_000]) {
    const forged = { connectionId, sequence, acknowledged: sequenceAdd(acknowledged, ahead) };
    scene.fromFar(state(forged));
    const late = { connectionId, sequence: sequenceAdd(sequence, 600 + ahead), acknowledged };
    scene.fromFar(state({ ...late, type: 'data' }));
  }
  scene.clock.run(500);
  send(scene, [near, far], 50_000);
  send(scene, [far, near], 50_000);
});

test('now and then a packet is kept back, and an honest receiver does not mind', () => {
  const way = { bytesPerSecond: 20e6, queueBytes: 4e6, latencyMs: 10 };
  const scene = pair(way);
  const { near, far } = meet(scene);
  const numbers = watchNumbers(scene);
  const ms = send(scene, [near, far], 30_000_000);
  const late = lateOnes(numbers);
  assert.ok(late.length >= 1 && late.length <= 6, `${late.length} of ${numbers.length}`);
  assert.ok((late[0] ?? 0) < 1_700, `the first is number ${late[0]}`);
  assert.equal(new Set(numbers).size, numbers.length, 'nothing is sent twice');
  assert.ok(ms < 2_000, `${ms} ms; the line alone needs 1,500`);
});

test('losses, doubles and disorder make nobody a liar', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const chances = { loss: 0.03, doubling: 0.05, jitterMs: seed % 2 === 0 ? 30 : 0 };
    const scene = pair({ bytesPerSecond: 5e6, latencyMs: 20, ...chances }, undefined, seed);
    const { near, far } = meet(scene);
    send(scene, [near, far], 2_000_000);
    send(scene, [far, near], 2_000_000);
  }
});

test('a receiver that tells of gaps by repeating itself alone gets what was kept back, too', () => {
  const scene = pair({ bytesPerSecond: 20e6, queueBytes: 4e6, latencyMs: 50 });
  const { near, far } = meet(scene);
  const numbers = watchNumbers(scene);
  const watch = scene.network.onSent;
  scene.network.onSent = (datagram) => {
    watch?.(datagram);
    // A mask of zeros says nothing.
    if (datagram.from === scene.far.address && datagram.packet[1] === 1)
      datagram.packet.fill(0, 22);
  };
  const ms = send(scene, [near, far], 10_000_000);
  assert.ok(lateOnes(numbers).length >= 1);
  assert.equal(new Set(numbers).size, numbers.length, 'nothing is sent twice');
  assert.ok(ms < 2_600, `${ms} ms: the window is not made smaller`);
});

test('who acknowledges what was kept back is found out, and the connection ends', () => {
  for (const manner of ['all that comes', 'more than comes', 'by masks'] as const) {
    const scene = pair({ bytesPerSecond: 10e6, queueBytes: 1e6, loss: 0.001 });
    const { near, far } = meet(scene);
    let highest = 0;
    scene.network.onSent = ({ packet, from }) => {
      const header = decodeUtp(packet);
      if (!header) return;
      if (from === scene.near.address && header.type === 'data') highest = header.sequence;
      if (from !== scene.far.address || header.type !== 'state') return;
      if (manner === 'by masks') {
        if (packet[1] === 1) packet.fill(255, 22);
        return;
      }
      const number = manner === 'all that comes' ? header.acknowledged : highest;
      const gap = header.selectiveAck?.findLastIndex((byte) => byte > 0) ?? -1;
      const claimed = Math.max(0, 8 * (gap + 1) - 6);
      const lie = sequenceAdd(number, manner === 'all that comes' ? claimed : 0);
      packet[1] = 0;
      packet[18] = lie >> 8;
      packet[19] = lie & 255;
    };
    near.connection?.write([new Uint8Array(30_000_000)]);
    scene.clock.run(10_000);
    assert.equal(near.closed, 'the peer acknowledged what was not sent', manner);
    assert.equal(far.closed, 'the peer broke the connection', manner);
    assert.ok(far.received < 5_000_000, `${far.received} bytes`);
  }
});

test('arbitrary datagrams neither throw nor break a connection', () => {
  const scene = pair({ bytesPerSecond: 1e9, queueBytes: 1e9 });
  const { near, far } = meet(scene);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 2 }), (bytes, type) => {
      // Mostly packets by their first byte. A reset of the right id would end it, as it should.
      if (bytes.length > 0) bytes[0] = (type << 4) | 1;
      scene.fromNear(bytes);
      scene.fromFar(bytes);
      scene.clock.run(1);
    }),
    { numRuns: 1000 },
  );
  send(scene, [near, far], 20_000);
  send(scene, [far, near], 20_000);
});

test('alone on a line it fills it, and keeps the queue near a tenth of a second', () => {
  const scene = pair({ bytesPerSecond: 1e6, queueBytes: 2e6, latencyMs: 25 });
  const { near, far } = meet(scene);
  const line = scene.lines.there;
  near.connection?.write([new Uint8Array(60e6)]);
  scene.clock.run(15_000);
  const before = { carried: line.carriedBytes, waited: line.waitedMs, packets: line.packets };
  scene.clock.run(20_000);
  const rate = (line.carriedBytes - before.carried) / 20;
  const wait = (line.waitedMs - before.waited) / (line.packets - before.packets);
  assert.ok(rate > 0.9e6, `${rate} bytes a second`);
  assert.ok(wait > 40 && wait < 160, `${wait} ms in the queue`);
  assert.equal(line.droppedPackets, 0);
  assert.ok(far.received > 15e6);
});

/** A sender as TCP is: one more packet a round trip, half the window after a loss. */
class RenoFlow {
  deliveredBytes = 0;
  isOver = false;
  #window = 10;
  #onWay = 0;
  readonly #line: Line;
  readonly #clock: VirtualClock;
  #reducedAt = 0;
  #sent = 0;

  constructor(clock: VirtualClock, line: Line) {
    this.#clock = clock;
    this.#line = line;
    this.#pump();
  }

  #pump(): void {
    while (this.#onWay < this.#window && !this.isOver) {
      this.#onWay++;
      const order = this.#sent++;
      let hasCome = false;
      this.#line.carry(1400, () => {
        hasCome = true;
        this.#clock.after(25, () => {
          this.#onWay--;
          this.deliveredBytes += 1400;
          this.#window += 1 / this.#window;
          this.#pump();
        });
      });
      this.#clock.after(this.#line.waitMs + 120, () => {
        if (hasCome) return;
        this.#onWay--;
        if (order >= this.#reducedAt) {
          this.#window = Math.max(2, this.#window / 2);
          this.#reducedAt = this.#sent;
        }
        this.#pump();
      });
    }
  }
}

test('beside a flow that behaves as TCP it gives way, and comes back when that ends', () => {
  const scene = pair({ bytesPerSecond: 1e6, queueBytes: 4e5, latencyMs: 25 });
  const { near, far } = meet(scene);
  near.connection?.write([new Uint8Array(200e6)]);
  scene.clock.run(10_000);
  const reno = new RenoFlow(scene.clock, scene.lines.there);
  scene.clock.run(10_000);
  const before = { reno: reno.deliveredBytes, utp: far.received };
  scene.clock.run(40_000);
  const renoBytes = reno.deliveredBytes - before.reno;
  const utpBytes = far.received - before.utp;
  assert.ok(renoBytes > 5 * utpBytes, `TCP ${renoBytes}, uTP ${utpBytes}`);
  assert.ok(utpBytes > 0, 'it gives way without stopping');
  reno.isOver = true;
  scene.clock.run(10_000);
  const alone = far.received;
  scene.clock.run(10_000);
  assert.ok(far.received - alone > 8e6, 'it takes what is left free');
});
