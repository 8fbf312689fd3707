import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type Sample, slope } from './figures.ts';

const MIB = 2 ** 20;

/** A sample every half minute for two hours; `rssOf` says how much memory after so many hours. */
function run(rssOf: (hours: number) => number): Sample[] {
  return Array.from({ length: 241 }, (_, nth) => {
    const seconds = nth * 30;
    const event = nth === 0 ? 'start' : nth === 240 ? 'end' : 'sample';
    return sample(event, seconds, rssOf(seconds / 3600));
  });
}

function sample(event: Sample['event'], seconds: number, rssBytes: number): Sample {
  const thread = {
    ...{ heapUsedBytes: 20 * MIB, externalBytes: 5 * MIB, arrayBufferBytes: MIB, resources: {} },
    ...{ loopDelayP99Ms: 2, loopDelayMaxMs: 9, faults: [] },
  };
  return {
    ...{
      event,
      seconds,
      rssBytes,
      steps: 1,
      troubles: [],
      peers: 5,
      collects: true,
      dhtNodes: 5,
      cpuSeconds: 9,
    },
    threads: [
      { ...thread, thread: 'main' },
      { ...thread, thread: 'transfer' },
    ],
    descriptors: { socket: 5 },
    torrents: { working: 3 },
    receivedBytes: seconds * MIB,
    sentBytes: seconds * MIB,
  };
}

/** Up and down every eleven minutes. */
function wave(hours: number): number {
  return Math.sin((hours * 60 * Math.PI) / 5.5) * 3 * MIB;
}

test('the slope of a line is found, with no error to speak of', () => {
  const points = Array.from({ length: 200 }, (_, nth) => ({ seconds: nth * 30, value: nth * 30 }));
  const { perHour, error } = slope(points);
  assert.ok(Math.abs(perHour - 3600) < 1e-6);
  assert.ok(error !== null && error < 1e-6);
});

test('memory that goes up and down does not leak', () => {
  const { ok, faults, slopes } = judge(run((hours) => 160 * MIB + wave(hours)));
  assert.deepEqual(faults, []);
  assert.ok(ok);
  assert.ok(Math.abs(slopes.rss.perHour) < 2 * (slopes.rss.error ?? 0) + MIB);
});

test('memory that grows by 10 MiB an hour leaks, however it goes up and down', () => {
  const { ok, faults } = judge(run((hours) => 160 * MIB + 10 * MIB * hours + wave(hours)));
  assert.equal(ok, false);
  assert.match(faults.join(), /^resident memory grows by \d/);
});

test('a heap that grows behind a memory that does not is a leak', () => {
  const samples = run(() => 160 * MIB).map((one) => ({
    ...one,
    threads: one.threads.map((thread) => ({
      ...thread,
      heapUsedBytes: (20 + one.seconds / 360) * MIB,
    })),
  }));
  assert.match(judge(samples).faults.join(), /^what the heaps hold grows by 20.0 MiB an hour$/);
});

test('memory that has settled by half of the run does not leak, and is told', () => {
  const { faults, slopes } = judge(run((hours) => 160 * MIB + Math.min(hours, 1) * 20 * MIB));
  assert.deepEqual(faults, []);
  assert.ok(slopes.rss.perHour > 4 * MIB);
});

test('handles that stay, faults, a run cut short and one without traffic are told', () => {
  const samples = run(() => 160 * MIB);
  const end = samples[240] as Sample;
  const fd = { ...end, descriptors: { socket: 5, file: 7 } };
  assert.match(judge([...samples, fd]).faults.join(), /7 more handles/);
  assert.match(judge([...samples, { ...end, troubles: ['the disk!'] }]).faults.join(), /the disk!/);
  assert.match(judge(samples.slice(0, 200)).faults.join(), /not brought to its end/);
  assert.match(judge([...samples, { ...end, receivedBytes: 7 }]).faults.join(), /only 0.0 MiB/);
});
