import assert from 'node:assert/strict';
import { createDiffieHellman, createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex } from '../../units/index.ts';
import {
  MSE_PRIME_HEX,
  type MseCrypto,
  MseInitiator,
  type MseMethod,
  type MseProgress,
  MseResponder,
  Rc4,
  torrentMark,
} from './index.ts';

/** Checking the prime takes long, so it is done once. */
const group = createDiffieHellman(MSE_PRIME_HEX, 'hex', Uint8Array.of(2));

/** Real keys; `secretHex` fixes the private key, as recorded handshakes need. */
function cryptoWith(secretHex: string | null, pad = 10): MseCrypto {
  return {
    sha1: (view) => createHash('sha1').update(view).digest(),
    // The length of a padding is made of two random bytes.
    randomBytes: (count) =>
      count === 2 && pad >= 0 ? Uint8Array.of(pad >> 8, pad & 255) : randomBytes(count),
    newKeyPair: () => {
      const secret = secretHex === null ? randomBytes(20) : fromHex(secretHex);
      group.setPrivateKey(secret);
      const key = group.generateKeys();
      const publicKey = new Uint8Array(96);
      publicKey.set(key, 96 - key.length);
      const secretWith = (remote: Uint8Array): Uint8Array | null => {
        try {
          group.setPrivateKey(secret);
          return group.computeSecret(remote);
        } catch {
          return null;
        }
      };
      return { publicKey, secretWith };
    },
  };
}

const crypto = cryptoWith(null, -1);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const UBUNTU = fromHex('2c6b6858d61da9543d4231a71db4b1c9264b0685');
const OTHER = fromHex('00112233445566778899aabbccddeeff00112233');

// Vectors: RFC 6229, section 2, keystream at the offsets named there.
const RFC6229: readonly (readonly [string, number, string])[] = [
  ['0102030405', 0, 'b2396305f03dc027ccc3524a0a1118a8'],
  ['0102030405', 16, '6982944f18fc82d589c403a47a0d0919'],
  ['0102030405', 240, '28cb1132c96ce286421dcaadb8b69eae'],
  ['0102030405', 1024, '30abbcc7c20b01609f23ee2d5f6bb7df'],
  ['0102030405', 4096, 'ff25b58995996707e51fbdf08b34d875'],
  ['0102030405060708', 0, '97ab8a1bf0afb96132f2f67258da15a8'],
  ['0102030405060708090a0b0c0d0e0f10', 0, '9ac7cc9a609d1ef7b2932899cde41b97'],
  ['0102030405060708090a0b0c0d0e0f10', 1024, 'bdf0324e6083dcc6d3cedd3ca8c53c16'],
  ['833222772a', 0, '80ad97bdc973df8a2e879e92a497efda'],
  [
    '1ada31d5cf688221c109163908ebe51debb46227c6cc8b37641910833222772a',
    0,
    'dd5bcb0018e922d494759d7c395d02d3',
  ],
];

test('the keystream of RC4 is that of RFC 6229', () => {
  for (const [key, offset, expected] of RFC6229) {
    const view = new Uint8Array(offset + 16);
    new Rc4(fromHex(key)).apply(view);
    assert.equal(toHex(view.subarray(offset)), expected, `key ${key} at ${offset}`);
  }
});

test('a stream begins behind the first 1,024 bytes', () => {
  const view = new Uint8Array(16);
  Rc4.forStream(fromHex('0102030405')).apply(view);
  assert.equal(toHex(view), '30abbcc7c20b01609f23ee2d5f6bb7df');
});

test('however a stream is cut and wherever the parts lie in memory, it decrypts to itself', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 32 }),
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.nat(40), { maxLength: 12 }),
      fc.nat(7),
      (key, message, cuts, shift) => {
        const whole = message.slice();
        new Rc4(key).apply(whole);
        const memory = new Uint8Array(message.length + shift);
        const parts = memory.subarray(shift);
        parts.set(whole);
        const cipher = new Rc4(key);
        let at = 0;
        for (const size of [...cuts, message.length]) {
          cipher.apply(parts.subarray(at, at + size));
          at = Math.min(at + size, message.length);
        }
        assert.deepEqual(parts, message);
      },
    ),
  );
});

// Recorded by Transmission's authors in the wild (its handshake tests); the private key is theirs.
const RECORDED_KEY = Buffer.from('0EYKCwBWQ4Dg9kX3c5xxjVtBDKw=', 'base64').toString('hex');

test('a recorded incoming connection is understood', () => {
  const responder = new MseResponder(
    cryptoWith(RECORDED_KEY),
    {
      findTorrent: (mark) => (toHex(mark) === toHex(torrentMark(crypto, UBUNTU)) ? UBUNTU : null),
      accept: ['rc4', 'plaintext'],
    },
    () => {},
  );
  const key =
    'svkySIFcCsrDTeHjPt516UFbsoR+5vfbe5/m6stE7u5JLZ10kJ19NmP64E10qInn78sCrJgjw1yEHHwrzOcKiRlYvc' +
    'MotzJMe+SjrFUnaw3KBfn2bcKBhxb/sfM9J7nJ';
  const rest =
    'ICAgICAgICAgIKdr4jIBZ4xFfO4xNiRV7Gl2azTSuTFuu06NU1WyRPif018JYeVGwrTPstEPu3V5lmzjtMGVLaL5EE' +
    'rlpJ93Xrz+ea6EIQEUZA+D4jKaV/to9NVi04/1W1A2PHgg+I9puac/i9BsFPcjdQeoVtU73lNCbTDQgTieyjDWmwo=';
  assert.equal(responder.receive(Buffer.from(key, 'base64')).state, 'more');
  const progress = responder.receive(Buffer.from(rest, 'base64'));
  assert.ok(progress.state === 'done', JSON.stringify(progress));
  const { early, infoHash } = progress.session;
  assert.deepEqual(infoHash, UBUNTU);
  assert.equal(Buffer.from(early.subarray(48, 68)).toString(), '-TR300Z-w4bd4mkebkbi');
});

test('a recorded answer to an outgoing connection is understood', () => {
  const sent: Uint8Array[] = [];
  const initiator = new MseInitiator(
    cryptoWith(RECORDED_KEY),
    { infoHash: UBUNTU, provide: ['rc4', 'plaintext'], early: new Uint8Array(0) },
    (bytes) => sent.push(bytes),
  );
  initiator.start();
  const key =
    'Sfgoq/nrQfD4Iwirfk+uhOmQMOC/QwK/vYiOact1NF9TpWXms3cvlKEKxs0VUmnmytRh9bh4Lcs1bswlC6R05XrJGz' +
    'LhZqAqcLUUAR1VTLA5oKSjR1038zFbhnc71jql';
  const rest =
    'paZ3steQoTE58dNkLfvPJdGfTli1FCa1FcvjqCGkzEigwxVTo7o9MviInBNGZzetXtP0f4PgD0SubXoMNEi2dza/Ps' +
    'uA5e+7GcnNeNT0fcbw49HWtXgL3wb18sg3puL1I6oi1DQhFfCg1xDDwj2AEKA2cy7zMjhLSTP4n9KNFDfPElrbdZI0' +
    'Q/FDb1JVyHzNGLJyYSgOnye/+IHiu/lqNmonH2ixTshuSBCW04PTkGGwxxWqFcw9MWNA8fidJaKjPgs6z4/FKXlyHG' +
    'w+6Sa091zxAmxUNdnAmOS1uUcplSMfEz9Goxok8aLtS+w2xg+eEmIFf+KhW2n0bFqfQDvmAyXKLhXf44lTfq95aMb3' +
    '09APR/Q0QDEdK2SqUKV2dWQIQLgDlxhxSL7cPMHenT8m3rufi6EdkvdPyKcB1iI2zW8qUGbgPYZ+CXxTFjz/UxvxNd' +
    'ZaAePjJKz9tlO9ns4y+YqXe+ABBD9P7vMBo9bdpF4TQ/TjX2rAPqWNucvBjNODNAe/tMSprBz+7Z7cECwBmQEx/N6z' +
    'sWkjt/qP0XYikCQLBsTCFNPLHAXOVTpqwJo3mKyzaRZ6V1bmrx+Yn++PdMzArtwxJxvYaW2G4l/eU/hFHEWzOqUgr6' +
    '908KtU';
  assert.equal(initiator.receive(Buffer.from(key, 'base64')).state, 'more');
  // What the recorded peer waited for: HASH('req1', S).
  const proof = Buffer.from(sent[1] ?? []).subarray(0, 20);
  assert.equal(proof.toString('base64'), 'mbpZFBwdi4U1snVvboN3sMEpNmU=');
  const progress = initiator.receive(Buffer.from(rest, 'base64'));
  assert.ok(progress.state === 'done', JSON.stringify(progress));
  assert.equal(progress.session.method, 'rc4');
  const { early } = progress.session;
  assert.equal(Buffer.from(early.subarray(48, 68)).toString(), '-qB4250-scysDI_JuVN3');
});

/** Both ends, and what is on the way between them, cut into the given sizes. */
class Talk {
  readonly #toB: Uint8Array[] = [];
  readonly #toA: Uint8Array[] = [];
  readonly a: MseInitiator;
  readonly b: MseResponder;
  atA: MseProgress = { state: 'more' };
  atB: MseProgress = { state: 'more' };

  constructor(options: {
    provide: readonly MseMethod[];
    accept: readonly MseMethod[];
    early?: Uint8Array;
    served?: readonly Uint8Array[];
    pad?: number;
  }) {
    const { provide, accept, early = text('hello'), served = [UBUNTU], pad = -1 } = options;
    const ends = cryptoWith(null, pad);
    const marks = new Map(served.map((hash) => [toHex(torrentMark(crypto, hash)), hash]));
    this.a = new MseInitiator(ends, { infoHash: UBUNTU, provide, early }, (bytes) =>
      this.#toB.push(bytes),
    );
    const findTorrent = (mark: Uint8Array): Uint8Array | null => marks.get(toHex(mark)) ?? null;
    this.b = new MseResponder(ends, { findTorrent, accept }, (bytes) => this.#toA.push(bytes));
    this.a.start();
  }

  /** Delivers everything, in pieces of at most the sizes that `nextSize` gives. */
  run(nextSize: () => number = () => Infinity): void {
    for (;;) {
      const toB = this.#toB.shift();
      if (toB) this.atB = deliver(toB, nextSize, this.atB, (view) => this.b.receive(view));
      const toA = this.#toA.shift();
      if (toA) this.atA = deliver(toA, nextSize, this.atA, (view) => this.a.receive(view));
      if (!toA && !toB) return;
    }
  }
}

function deliver(
  bytes: Uint8Array,
  nextSize: () => number,
  before: MseProgress,
  receive: (view: Uint8Array) => MseProgress,
): MseProgress {
  let progress = before;
  for (let at = 0; at < bytes.length && progress.state === 'more'; ) {
    const size = Math.min(Math.max(1, nextSize()), bytes.length - at);
    progress = receive(bytes.slice(at, at + size));
    at += size;
  }
  return progress;
}

/** What was agreed, after checking that both ends can talk. */
function agreed({ atA, atB }: Talk): MseMethod | null {
  if (atA.state !== 'done' || atB.state !== 'done') return null;
  const [a, b] = [atA.session, atB.session];
  assert.equal(a.method, b.method);
  assert.equal(Buffer.from(b.early).toString(), 'hello');
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const bytes = text('a block of some length');
    from.outgoing?.apply(bytes);
    assert.equal(
      Buffer.from(bytes).toString() === 'a block of some length',
      a.method === 'plaintext',
    );
    to.incoming?.apply(bytes);
    assert.equal(Buffer.from(bytes).toString(), 'a block of some length');
  }
  return a.method;
}

test('the accepting end chooses the first of its methods that is offered', () => {
  const cases: readonly (readonly [MseMethod[], MseMethod[], MseMethod | null])[] = [
    [['rc4', 'plaintext'], ['plaintext', 'rc4'], 'plaintext'],
    [['rc4', 'plaintext'], ['rc4', 'plaintext'], 'rc4'],
    [['plaintext'], ['rc4', 'plaintext'], 'plaintext'],
    [['rc4'], ['plaintext', 'rc4'], 'rc4'],
    [['rc4'], ['rc4'], 'rc4'],
    [['plaintext'], ['rc4'], null],
    [['rc4'], ['plaintext'], null],
  ];
  for (const [provide, accept, method] of cases) {
    const talk = new Talk({ provide, accept });
    talk.run();
    assert.equal(agreed(talk), method, `${provide} to ${accept}`);
  }
});

test('bytes may arrive in any pieces, with any padding', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 30 }),
      fc.nat(512),
      fc.boolean(),
      (sizes, pad, isSecret) => {
        let turn = 0;
        const methods: MseMethod[] = isSecret ? ['rc4'] : ['plaintext'];
        const talk = new Talk({ provide: methods, accept: methods, pad });
        talk.run(() => sizes[turn++ % sizes.length] ?? 1);
        assert.equal(agreed(talk), methods[0]);
      },
    ),
    { numRuns: 60 },
  );
});

test('one byte at a time is enough', () => {
  const talk = new Talk({ provide: ['rc4'], accept: ['rc4'], pad: 512 });
  talk.run(() => 1);
  assert.equal(agreed(talk), 'rc4');
});

test('a torrent that is not served ends the handshake, whatever else is served', () => {
  const talk = new Talk({ provide: ['rc4'], accept: ['rc4'], served: [OTHER] });
  talk.run();
  assert.deepEqual(talk.atB, {
    state: 'failed',
    reason: 'it asked for a torrent we do not have',
  });
});

test('padding longer than 512 bytes is refused as soon as that is clear, by both ends', () => {
  const { b } = new Talk({ provide: ['rc4'], accept: ['rc4'] });
  assert.equal(b.receive(randomBytes(96 + 512 + 19)).state, 'more');
  assert.equal(b.receive(randomBytes(1)).state, 'failed');
  const { a } = new Talk({ provide: ['rc4'], accept: ['rc4'] });
  assert.equal(a.receive(randomBytes(96 + 512 + 7)).state, 'more');
  assert.equal(a.receive(randomBytes(1)).state, 'failed');
});

test('keys that would make the secret known are refused', () => {
  const prime = BigInt(`0x${MSE_PRIME_HEX}`);
  for (const bad of [0n, 1n, prime - 1n, prime, prime + 1n]) {
    const key = fromHex(bad.toString(16).padStart(192, '0'));
    const { a, b } = new Talk({ provide: ['rc4'], accept: ['rc4'] });
    assert.equal(a.receive(key).state, 'failed');
    assert.equal(b.receive(key).state, 'failed');
  }
});

test('arbitrary bytes are waited for or refused, never an exception', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }), (chunks) => {
      const { a, b } = new Talk({ provide: ['rc4'], accept: ['rc4'] });
      for (const end of [a, b]) {
        let progress: MseProgress = { state: 'more' };
        for (const chunk of chunks) if (progress.state === 'more') progress = end.receive(chunk);
        assert.notEqual(progress.state, 'done');
      }
    }),
    { numRuns: 200 },
  );
});

/** Both ends with their keys exchanged, and what `a` proves and offers: without padding. */
function atTheOffer(): { a: MseInitiator; b: MseResponder; offer: Uint8Array; toA: Uint8Array[] } {
  const ends = cryptoWith(null, 0);
  const toB: Uint8Array[] = [];
  const toA: Uint8Array[] = [];
  const options = { infoHash: UBUNTU, provide: ['rc4'], early: text('x') } as const;
  const a = new MseInitiator(ends, options, (bytes) => toB.push(bytes));
  const findTorrent = (mark: Uint8Array): Uint8Array | null =>
    toHex(mark) === toHex(torrentMark(crypto, UBUNTU)) ? UBUNTU : null;
  const b = new MseResponder(ends, { findTorrent, accept: ['rc4'] }, (bytes) => toA.push(bytes));
  a.start();
  for (const bytes of toB.splice(0)) b.receive(bytes);
  for (const bytes of toA.splice(0)) a.receive(bytes);
  return { a, b, offer: toB[0] ?? new Uint8Array(0), toA };
}

/** Changes bits of an encrypted message: the same bits of what is read change. */
function flip(bytes: Uint8Array, at: number, bits: number): Uint8Array {
  bytes[at] = (bytes[at] ?? 0) ^ bits;
  return bytes;
}

test('a byte that was changed in the name or the constant ends the handshake', () => {
  for (let at = 20; at < 48; at++) {
    const { b, offer } = atTheOffer();
    assert.equal(b.receive(flip(offer, at, 0x55)).state, 'failed', `byte ${at}`);
  }
});

test('padding and first data of an announced length too large are not waited for', () => {
  const [padding, early] = [atTheOffer(), atTheOffer()];
  // Their lengths are at 52 and 54: padding of 1,024 bytes, first data of 32 KiB and a byte.
  assert.deepEqual(padding.b.receive(flip(padding.offer, 52, 4)), {
    state: 'failed',
    reason: 'its padding is too long',
  });
  assert.deepEqual(early.b.receive(flip(early.offer, 54, 0x80)), {
    state: 'failed',
    reason: 'it sends too much too early',
  });
  const { a, b, offer, toA } = atTheOffer();
  b.receive(offer);
  const [choice = new Uint8Array(0)] = toA;
  assert.deepEqual(a.receive(flip(choice, 12, 4)), {
    state: 'failed',
    reason: 'its padding is too long',
  });
});
