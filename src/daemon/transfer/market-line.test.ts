import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExchangeEvent, Happening } from '../../exchange/index.ts';
import { attoPerMib } from '../../units/index.ts';
import { marketLine } from './market-line.ts';

function event(happening: Happening): ExchangeEvent {
  return { peerKey: 1, torrentKey: 'ab'.repeat(20), remote: '192.0.2.1:6881', ...happening };
}

test('a buyer whose budget is used up is told that it goes on for free', () => {
  const line = marketLine(event({ type: 'withdrawn', side: 'buying', code: 'budget' }));
  assert.equal(line, '192.0.2.1:6881: the budget is used up: the download goes on for free');
});

test('what the own wallet says is told, what a peer says is not', () => {
  const refused = { type: 'refused', code: 'purse-empty', text: 'too little BTT' } as const;
  assert.equal(marketLine(event({ ...refused, by: 'us' })), 'not paying: too little BTT');
  assert.equal(marketLine(event({ ...refused, by: 'them' })), null);
});

test('business as usual is not worth a line', () => {
  assert.equal(marketLine(event({ type: 'quote', side: 'buying', price: attoPerMib(1n) })), null);
  assert.equal(marketLine(event({ type: 'withdrawn', side: 'buying', code: 'done' })), null);
  assert.equal(marketLine(event({ type: 'withdrawn', side: 'selling', code: 'accept-0' })), null);
});
