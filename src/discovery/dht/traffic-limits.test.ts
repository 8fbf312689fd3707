/** What all questions and answers of a node may come to, and how much of it is remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instant, instant } from '../../units/index.ts';
import { DHT_LIMITS, type Question, TrafficLimits } from './traffic-limits.ts';

const START = instant(0);
const LATER = instant(1_000);

/** A question of 100 bytes from the nth prefix of the world. */
function questionOf(nth: number): Question {
  const prefix = `${20 + (nth >> 16)}.${(nth >> 8) & 0xff}.${nth & 0xff}`;
  return { host: `${prefix}.7`, prefix, isLocal: false, lengthBytes: 100 };
}

/** Answers `count` questions from as many prefixes, each with `replyBytes` if it may; how many. */
function answered(limits: TrafficLimits, now: Instant, [first, count, replyBytes]: Ask): number {
  let admitted = 0;
  for (let nth = first; nth < first + count; nth++) {
    if (!limits.admits(questionOf(nth), now)) continue;
    limits.spend(questionOf(nth), replyBytes, now);
    admitted++;
  }
  return admitted;
}

type Ask = readonly [first: number, count: number, replyBytes: number];

test('of all the world two hundred questions a second are answered, of eight seconds at once', () => {
  const limits = new TrafficLimits(DHT_LIMITS, START);
  assert.equal(answered(limits, START, [0, 3_000, 100]), 1_600);
  assert.equal(answered(limits, LATER, [3_000, 3_000, 100]), 200);
});

test('all answers come to 64,000 bytes a second, of eight seconds at once', () => {
  const limits = new TrafficLimits(DHT_LIMITS, START);
  for (let nth = 0; nth < 3_000; nth++) limits.prove(questionOf(nth).host, START);
  assert.equal(answered(limits, START, [0, 1_000, 1_280]), 400);
  assert.equal(answered(limits, LATER, [1_000, 1_000, 1_280]), 50);
});

test('answers to unproven addresses exceed the questions by 16,000 bytes a second in all', () => {
  const limits = new TrafficLimits(DHT_LIMITS, START);
  const excessOf = (first: number, now: Instant): number => {
    let excess = 0;
    for (let nth = first; nth < first + 1_000; nth++) {
      const question = questionOf(nth);
      const replyBytes = limits.replyBytesMax(question, 1_100, now);
      limits.spend(question, replyBytes, now);
      excess += replyBytes - question.lengthBytes;
    }
    return excess;
  };
  assert.equal(excessOf(0, START), 8 * 16_000);
  assert.equal(excessOf(1_000, LATER), 16_000);
});

test('the budgets of the two thousand prefixes seen last are remembered', () => {
  const limits = new TrafficLimits(DHT_LIMITS, START);
  const replyBytesMaxOf = (nth: number): number =>
    limits.replyBytesMax(questionOf(nth), 1_100, START);
  limits.spend(questionOf(0), 4_100, START);
  for (let nth = 1; nth < 2_000; nth++) replyBytesMaxOf(nth);
  assert.equal(replyBytesMaxOf(0), 100);
  for (let nth = 1; nth <= 2_000; nth++) replyBytesMaxOf(nth);
  assert.equal(replyBytesMaxOf(0), 1_100);
});

test('the two thousand addresses proven last are believed, for a quarter of an hour', () => {
  const limits = new TrafficLimits(DHT_LIMITS, START);
  const isProven = (nth: number, now = START): boolean => limits.isProven(questionOf(nth), now);
  for (let nth = 0; nth < 2_000; nth++) limits.prove(questionOf(nth).host, START);
  assert.equal(isProven(0), true);
  limits.prove(questionOf(2_000).host, START);
  assert.deepEqual([isProven(0), isProven(1), isProven(2_000)], [false, true, true]);
  assert.equal(isProven(1, instant(15 * 60_000)), false);
});
