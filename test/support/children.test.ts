import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startChild } from './children.ts';

const CHILDREN: string = new URL('children.ts', import.meta.url).href;
/** A parent that starts a grandchild which would live for a minute, and says its process id. */
const PARENT = `
  import { startChild } from '${CHILDREN}';
  const child = startChild('sleep', ['60']);
  console.log(JSON.stringify({ event: 'started', pid: child.pid }));
`;

/** Whether a process still runs; a zombie nobody has reaped yet does not. */
async function isRunning(pid: number): Promise<boolean> {
  const state = startChild('sh', ['-c', `ps -o stat= -p ${pid} | grep -qv Z`]);
  return (await state.ended).code === 0;
}

test('a child that outlives its time is killed, and the wait for it says so', async () => {
  const child = startChild('sleep', ['60'], { timeoutMs: 50 });
  await assert.rejects(child.success(), /took over 50 ms/);
  assert.equal((await child.ended).timedOut, true);
});

test('a child that ends without the awaited line rejects the wait with its output', async () => {
  const child = startChild('sh', ['-c', 'echo the reason >&2; exit 3']);
  await assert.rejects(
    child.waitForLine((line) => line.event === 'listening'),
    /the reason/,
  );
});

test('a program that does not exist is a failure, no hang', async () => {
  await assert.rejects(startChild('no-such-program-here', []).success());
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  const skip = process.platform === 'linux' ? false : 'needs the parent death signal of Linux';
  test(`children die with a parent that gets ${signal}`, { skip }, async () => {
    const parent = startChild(process.execPath, ['--input-type=module', '--eval', PARENT]);
    const { pid } = await parent.waitForLine((line) => line.event === 'started');
    assert.equal(await isRunning(Number(pid)), true);
    process.kill(parent.pid, signal);
    await parent.ended;
    assert.equal(await isRunning(Number(pid)), false);
  });
}
