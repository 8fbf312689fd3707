import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Echoes } from './echoes.ts';

test('what several voices say is told once, each time that it happens', () => {
  const echoes = new Echoes();
  const said = [
    ...[
      { by: 1, line: 'gone' },
      { by: 2, line: 'gone' },
      { by: 2, line: 'back' },
    ],
    ...[
      { by: 1, line: 'back' },
      { by: 2, line: 'gone' },
      { by: 1, line: 'gone' },
    ],
    ...[
      { by: 3, line: 'no UDP' },
      { by: 1, line: 'back' },
      { by: 1, line: 'no UDP' },
    ],
  ];
  const told = said.filter(({ by, line }) => !echoes.isEcho(by, line)).map(({ line }) => line);
  assert.deepEqual(told, ['gone', 'back', 'gone', 'no UDP', 'back']);
});
