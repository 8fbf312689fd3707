import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Connection, ConnectionEvents, Dialer } from '../../engine/index.ts';
import { racedDialer } from './raced-dialer.ts';

/** A connection that does what the test says. */
class Runner implements Connection {
  readonly remoteHost = '192.0.2.1';
  readonly remotePort = 1;
  readonly isOutbound = true;
  readonly queuedBytes = 0;
  readonly events: ConnectionEvents;
  closedFor: string | null = null;

  constructor(events: ConnectionEvents) {
    this.events = events;
  }
  write(_parts: readonly Uint8Array[], done?: () => void): void {
    done?.();
  }
  pauseReading(): void {}
  resumeReading(): void {}
  close(reason: string): void {
    if (this.closedFor !== null) return;
    this.closedFor = reason;
    this.events.onClosed(reason);
  }
}

/** Both ways under control, and what the dialling side is told. */
function scene(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
  const tcp: Runner[] = [];
  const utp: Runner[] = [];
  const into = (runners: Runner[]): Dialer => ({
    connect: (_host, _port, events) => {
      const runner = new Runner(events);
      runners.push(runner);
      return runner;
    },
  });
  const told: string[] = [];
  const events: ConnectionEvents = {
    onOpen: () => told.push('open'),
    onBytes: (view) => told.push(`bytes ${view.length}`),
    onDrain: () => told.push('drain'),
    onClosed: (reason) => told.push(reason),
  };
  const dialer = racedDialer({ tcp: into(tcp), utp: into(utp) });
  const dial = (): Connection => dialer.connect('192.0.2.1', 1, events);
  return { tcp, utp, told, dial, timers: t.mock.timers };
}

test('where TCP answers, uTP is not tried', (t) => {
  const { tcp, utp, told, dial, timers } = scene(t);
  dial();
  timers.tick(1_000);
  tcp[0]?.events.onOpen();
  timers.tick(10_000);
  tcp[0]?.events.onBytes(new Uint8Array(3));
  tcp[0]?.close('over');
  assert.deepEqual(told, ['open', 'bytes 3', 'over']);
  assert.equal(utp.length, 0);
});

test('where TCP is silent, uTP starts after its head start, and the faster one is kept', (t) => {
  const { tcp, utp, told, dial, timers } = scene(t);
  dial();
  timers.tick(1_500);
  utp[0]?.events.onOpen();
  assert.deepEqual(told, ['open']);
  assert.equal(tcp[0]?.closedFor, 'the other way was faster');
  utp[0]?.events.onBytes(new Uint8Array(1));
  assert.deepEqual(told, ['open', 'bytes 1']);
});

test('where TCP is refused, uTP is tried at once, and not waited for long', (t) => {
  const { tcp, utp, told, dial, timers } = scene(t);
  dial();
  tcp[0]?.close('nobody listens there');
  assert.equal(utp.length, 1);
  timers.tick(1_500);
  timers.tick(0);
  assert.deepEqual(told, ['nobody listens there']);
  assert.notEqual(utp[0]?.closedFor, null);
});

test('where TCP is taken and hung up on without a byte, uTP is first next time, once', (t) => {
  const { tcp, utp, dial } = scene(t);
  dial();
  tcp[0]?.events.onOpen();
  tcp[0]?.close('the peer hung up');
  dial();
  assert.deepEqual([tcp.length, utp.length], [1, 1]);
  utp[0]?.events.onOpen();
  utp[0]?.close('the peer hung up');
  dial();
  assert.deepEqual([tcp.length, utp.length], [2, 1]);
});

test('a dial that is given up ends both ways and is told once', (t) => {
  const { tcp, utp, told, dial, timers } = scene(t);
  const connection = dial();
  timers.tick(1_500);
  connection.close('no handshake within 10 s');
  timers.tick(20_000);
  assert.deepEqual(told, ['no handshake within 10 s']);
  assert.ok(tcp[0]?.closedFor !== null && utp[0]?.closedFor !== null);
});
