/** Who is asked over HTTPS proves who he is: trackers and web seeds, with real certificates. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { bencode } from '../support/bencode.ts';
import { type Certificate, makeCertificate } from '../support/certificates.ts';
import type { Child, JsonLine } from '../support/children.ts';
import { writeRandomFile } from '../support/files.ts';
import { type Desk, makeDesk } from './run.ts';

const HOST = '127.0.0.1';
const CA = makeCertificate({ name: 'an authority of this test' });
const STRANGE_CA = makeCertificate({ name: 'an authority nobody trusts' });
const YESTERDAY = new Date(Date.now() - 24 * 3_600_000);

/** Certificates, and what is said of their server; null for the one that is sound. */
const CASES: readonly [Case, Case, ...Case[]] = [
  [makeCertificate({ name: 'sound', host: HOST, issuer: CA }), null],
  [makeCertificate({ name: 'signed by itself', host: HOST }), /cannot be trusted/],
  [makeCertificate({ name: 'strange', host: HOST, issuer: STRANGE_CA }), /cannot be trusted/],
  [makeCertificate({ name: 'old', host: HOST, issuer: CA, until: YESTERDAY }), /has expired/],
  [makeCertificate({ name: 'other', host: '127.0.0.2', issuer: CA }), /for another host/],
];

type Case = readonly [Certificate, RegExp | null];

/** A server that is a tracker without peers and a web seed of one file; counts who got through. */
async function startServer(certificate: Certificate, file: string) {
  const whole = readFileSync(file);
  const seen = { announces: 0, ranges: 0 };
  const server = await listen(certificate, (request, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    seen[range ? 'ranges' : 'announces']++;
    if (!range) {
      response.end(bencode({ interval: 60, peers: '' }));
      return;
    }
    const [from, to] = [Number(range[1]), Number(range[2])];
    const headers = { 'content-range': `bytes ${from}-${to}/${whole.length}` };
    response.writeHead(206, headers).end(whole.subarray(from, to + 1));
  });
  return { ...server, seen };
}

/** A server of HTTPS, or without a certificate of HTTP. */
async function listen(certificate: Certificate | null, answer: RequestListener) {
  const server = certificate ? createSecure(certificate, answer) : createServer(answer);
  server.on('tlsClientError', () => {}).listen(0, HOST);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  const scheme = certificate ? 'https' : 'http';
  const origin = `${scheme}://${HOST}:${(server.address() as AddressInfo).port}`;
  return { origin, [Symbol.asyncDispose]: close };
}

/** A download from the server alone, on a machine that trusts the test's authority. */
async function startDownload(desk: Desk, origin: string, env: string): Promise<Child> {
  const name = `${new URL(origin).port}${env}`;
  const from = ['--tracker', `${origin}/announce`, '--web-seed', `${origin}/a.bin`];
  const made = await desk.run(['create', desk.at('a.bin'), '--out', desk.at(name), ...from]);
  assert.equal(made.code, 0, made.stderr);
  const to = ['--to', desk.at(`${name}-copy`), '--port', '0', '--json'];
  const under = ['env', `NODE_EXTRA_CA_CERTS=${desk.at('ca.pem')}`, env];
  return desk.start(['download', desk.at(name), ...to], name, under.filter(Boolean));
}

/** What is said of the tracker and of the web seed when neither can be used. */
async function refusalsOf(child: Child): Promise<string[]> {
  const of = async (who: string): Promise<string> => {
    const isIt = ({ line, isFailure }: JsonLine): boolean =>
      isFailure === true && String(line).startsWith(who);
    return String((await child.waitForLine(isIt))['line']);
  };
  return [await of('tracker'), await of('web seed')];
}

test('trackers and web seeds are asked only with a certificate that proves who they are', async () => {
  await using desk = await makeDesk('tls');
  await writeFile(desk.at('ca.pem'), CA.cert);
  await writeRandomFile(desk.at('a.bin'), 100_000);
  const check = async (certificate: Certificate, refusal: RegExp | null, env = '') => {
    await using server = await startServer(certificate, desk.at('a.bin'));
    const child = await startDownload(desk, server.origin, env);
    if (refusal === null) {
      const ended = await child.waitForLine((line) => line['ok'] !== undefined);
      assert.equal(ended['ok'], true, child.output());
      assert.ok(server.seen.ranges > 0 && server.seen.announces > 0, child.output());
      return;
    }
    for (const line of await refusalsOf(child)) {
      assert.match(line, refusal);
      assert.match(
        line,
        /^(tracker|web seed) https:\/\/127\.0\.0\.1:\d+ has a certificate [^\n]+$/,
      );
    }
    await child.stop();
    assert.deepEqual(server.seen, { announces: 0, ranges: 0 });
  };
  for (const [certificate, refusal] of CASES) await check(certificate, refusal);
  const [, [selfSigned, refusal]] = CASES;
  await check(selfSigned, refusal, 'NODE_TLS_REJECT_UNAUTHORIZED=0');
});

test('who is asked over HTTPS cannot send us on to plain HTTP', async () => {
  await using desk = await makeDesk('tls-redirect');
  await writeFile(desk.at('ca.pem'), CA.cert);
  await writeRandomFile(desk.at('a.bin'), 100_000);
  const { promise: reached, reject } = Promise.withResolvers<never>();
  await using plain = await listen(null, ({ url }, response) => {
    reject(new Error(`${url} was asked for by plain HTTP`));
    response.end();
  });
  const [[sound]] = CASES;
  await using secure = await listen(sound, ({ url }, response) => {
    response.writeHead(302, { location: `${plain.origin}${url}` }).end();
  });
  const child = await startDownload(desk, secure.origin, '');
  for (const line of await Promise.race([refusalsOf(child), reached])) {
    assert.match(line, / redirects from https to plain http/);
  }
  await Promise.race([child.stop(), reached]);
});
