/** Every expected failure is one plain line, a fixed code, an exit code: never a stack trace. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { writeRandomFile } from '../support/files.ts';
import { makeTorrent } from '../support/make-torrent.ts';
import { type Desk, makeDesk, takePort } from './run.ts';

let desk: Desk;
const MAGNET = `magnet:?xt=urn:btih:${'ab'.repeat(20)}`;

before(async () => {
  desk = await makeDesk('failures');
  await writeRandomFile(desk.at('content', 'a.bin'), 40_000);
  await writeRandomFile(desk.at('content', 'b.bin'), 10);
  await writeFile(desk.at('no.torrent'), 'this is no torrent');
  await mkdir(desk.at('void', 'inside'), { recursive: true });
  await writeFile(desk.at('taken.torrent'), 'precious');
  await makeTorrent({
    contentPath: desk.at('content'),
    torrentPath: desk.at('a.torrent'),
    pieceLengthBytes: 16384,
  });
});

after(() => desk[Symbol.asyncDispose]());

interface Failure {
  readonly name: string;
  /** `@x` stands for the path x on the desk. */
  readonly args: string;
  readonly code: string;
  /** What the line must say. */
  readonly says: RegExp;
}

const FAILURES: readonly Failure[] = [
  {
    name: 'an interface that does not exist',
    args: 'download @a.torrent --to @out --bind tun99',
    code: 'PLATFORM_BIND',
    says: /--bind: 'tun99' is no address and no interface that is up \(there are lo/,
  },
  {
    name: 'an address of somebody else',
    args: 'download @a.torrent --to @out --bind 192.0.2.1',
    code: 'PLATFORM_LISTEN',
    says: /cannot listen on 192\.0\.2\.1/,
  },
  {
    name: 'a torrent that does not exist',
    args: 'download @none.torrent --to @out',
    code: 'DAEMON_FILE_UNREADABLE',
    says: /none\.torrent does not exist/,
  },
  {
    name: 'a folder instead of a torrent',
    args: 'info @content',
    code: 'DAEMON_FILE_UNREADABLE',
    says: /content is a folder/,
  },
  {
    name: 'a file that is not a torrent',
    args: 'info @no.torrent',
    code: 'WIRE_BENCODE',
    says: /no\.torrent is no usable torrent file: not bencode/,
  },
  {
    name: 'a file that is not a torrent, when downloading',
    args: 'download @no.torrent --to @out --port 0',
    code: 'WIRE_BENCODE',
    says: /no\.torrent is no usable torrent file: not bencode/,
  },
  {
    name: 'a magnet link without a hash',
    args: 'info magnet:?dn=x',
    code: 'WIRE_MAGNET',
    says: /names no torrent/,
  },
  {
    name: 'a folder that cannot be written to',
    args: 'download @a.torrent --to /sys/kernel/nowhere --port 0 --no-trackers',
    code: 'PLATFORM_DISK',
    says: /\/sys\/kernel\/nowhere cannot be opened: check its permissions/,
  },
  {
    name: 'a file where the download folder should be',
    args: 'download @a.torrent --to @no.torrent --port 0 --no-trackers',
    code: 'PLATFORM_DISK',
    says: /no\.torrent/,
  },
  {
    name: 'seeding what is not there',
    args: 'seed @a.torrent --from @void --port 0 --no-trackers',
    code: 'DAEMON_DATA_INCOMPLETE',
    says: /0 of 3 pieces/,
  },
  {
    name: 'making a torrent of nothing',
    args: 'create @void --out @v.torrent',
    code: 'DAEMON_NOTHING_TO_SHARE',
    says: /void is empty/,
  },
  {
    name: 'making a torrent of a path that does not exist',
    args: 'create @none --out @v.torrent',
    code: 'DAEMON_FILE_UNREADABLE',
    says: /none does not exist/,
  },
  {
    name: 'a torrent that would replace another file',
    args: 'create @content --out @taken.torrent',
    code: 'DAEMON_FILE_EXISTS',
    says: /taken\.torrent exists already.*--force/,
  },
  {
    name: 'a torrent that cannot be written',
    args: 'create @content --out /proc/x.torrent',
    code: 'DAEMON_FILE_UNWRITABLE',
    says: /\/proc\/x\.torrent/,
  },
  {
    name: 'a piece length that is no power of two',
    args: 'create @content --out @v.torrent --piece-length 20K',
    code: 'WIRE_METAINFO',
    says: /power of two/,
  },
  {
    name: 'a tracker that is no URL of one',
    args: 'create @content --out @v.torrent --tracker wss://x/announce',
    code: 'DAEMON_TORRENT_UNSUPPORTED',
    says: /no tracker/,
  },
  {
    name: 'verifying a magnet link',
    args: `verify ${MAGNET} --in @content`,
    code: 'DAEMON_TORRENT_UNSUPPORTED',
    says: /no piece hashes/,
  },
  {
    name: 'a wallet that does not exist',
    args: 'wallet balance --network bttc',
    code: 'KEYSTORE_MISSING',
    says: /bidwidth wallet create/,
  },
  {
    name: 'a password nobody can be asked for',
    args: 'wallet create',
    code: 'CLI_PASSWORD',
    says: /BIDWIDTH_PASSWORD/,
  },
];

for (const { name, args, code, says } of FAILURES) {
  test(`${name}: one line, exit 1`, async () => {
    const ended = await desk.run([...resolved(args), '--json']);
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, says);
    assertOneLine(ended.stderr);
    assert.equal(ended.summary['ok'], false);
    assert.equal(ended.summary['code'], code);
    assert.equal(`bidwidth: ${ended.summary['error']}\n`, ended.stderr);
  });
}

const USAGE: readonly (readonly [name: string, args: string, says: RegExp])[] = [
  ['an unknown command', 'frobnicate', /unknown command 'frobnicate'/],
  ['an unknown option', 'info x --bogus', /unknown option '--bogus'/],
  ['a missing option', 'download x', /--to/],
  ['a rate that is none', 'download x --to y --upload-limit fast', /'fast' is not a size/],
  ['a price that is none', 'download x --to y --max-price 1,5 --budget 1', /'1,5' is not a BTT/],
  ['a price without a budget', 'download @a.torrent --to @out --max-price 1', /add --budget/],
  ['a peer without a port', 'download x --to y --peer localhost', /HOST:PORT/],
  ['a port that is none', 'seed x --from y --port 65536', /65535/],
  [
    'a proxy of a kind that there is not',
    'download @a.torrent --to @out --proxy socks4://me:hush@127.0.0.1:1080',
    /--proxy: the URL of a proxy begins with socks5:\/\/ or http:\/\//,
  ],
  [
    'a proxy without a port',
    'tracker scrape @a.torrent --proxy socks5://me:hush@proxy.example',
    /--proxy: the URL of a proxy names a host and a port/,
  ],
  [
    'uTP alone through an HTTP proxy',
    'download @a.torrent --to @out --no-tcp --proxy http://me:hush@127.0.0.1:1080',
    /an HTTP proxy carries TCP alone: leave out --no-tcp, or take a SOCKS5 proxy/,
  ],
  [
    'trading past a proxy',
    'seed @a.torrent --from @content --ask 1 --network bttc --proxy http://me:hush@127.0.0.1:1',
    /chains are asked directly, not through the proxy/,
  ],
  ['two versions at once', 'create @content --out @v.torrent --v1 --v2', /choose one/],
];

for (const [name, args, says] of USAGE) {
  test(`${name}: one line, exit 2`, async () => {
    const ended = await desk.run(resolved(args));
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, says);
    assertOneLine(ended.stderr);
    assert.doesNotMatch(ended.stderr, /hush/, 'no password is repeated');
    assert.equal(ended.stdout, '');
  });
}

test('a port that is taken is named', async () => {
  await using taken = await takePort();
  const { port } = taken;
  const ended = await desk.run(['download', MAGNET, '--to', desk.at('out'), '--port', `${port}`]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, new RegExp(`port ${port} is taken`));
  assertOneLine(ended.stderr);
});

test('a file nobody may read is named', { skip: isRoot() }, async () => {
  await writeFile(desk.at('secret.torrent'), 'x');
  await chmod(desk.at('secret.torrent'), 0o000);
  const ended = await desk.run(['info', desk.at('secret.torrent')]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /secret\.torrent cannot be opened: check its permissions/);
});

test('a failed command leaves no torrent behind, and never touches the file in its way', async () => {
  const ended = await desk.run(['create', desk.at('content'), '--out', desk.at('taken.torrent')]);
  assert.equal(ended.code, 1);
  assert.equal(await readFile(desk.at('taken.torrent'), 'utf8'), 'precious');
});

test('names in torrents cannot send control sequences to the terminal', async () => {
  const name = 'evil\u001b[2J\u202e.bin';
  await writeRandomFile(desk.at('tricks', name), 10);
  await makeTorrent({
    contentPath: desk.at('tricks'),
    torrentPath: desk.at('tricks.torrent'),
    pieceLengthBytes: 16384,
  });
  const ended = await desk.run(['info', desk.at('tricks.torrent')]);
  assert.equal(ended.code, 0, ended.stderr);
  const control = /[\p{Cc}\u202e]/u;
  assert.doesNotMatch(ended.stdout.replaceAll('\n', ''), control);
});

function resolved(args: string): readonly string[] {
  return args.split(' ').map((arg) => (arg.startsWith('@') ? desk.at(arg.slice(1)) : arg));
}

function assertOneLine(stderr: string): void {
  assert.match(stderr, /^bidwidth: [^\n]+\n$/);
  assert.doesNotMatch(stderr, /\bat .*\.ts:\d+/);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
