/** Every reader of what strangers send, and right inputs of each to begin with. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeLsd, parseIpList } from '../../src/discovery/index.ts';
import {
  askScriptedProxyForUdp,
  connectAnswers,
  meetHttpProxy,
  meetSocksProxy,
  socksAnswers,
} from '../../src/platform/egress/testing/scripted-proxy.ts';
import {
  firewallAnswers,
  meetFirewall,
  meetRouter,
  routerAnswers,
} from '../../src/platform/nat/testing/scripted-router.ts';
import { atto, concatBytes, hash32FromBytes } from '../../src/units/index.ts';
import {
  decodeBencode,
  decodeBwPay,
  decodeDontHave,
  decodeHandshake,
  decodeHashes,
  decodeHolepunch,
  decodeKrpc,
  decodeNatPmpReply,
  decodePcpReply,
  decodePex,
  decodeSocksDatagram,
  decodeSsdpReply,
  decodeUdpReply,
  decodeUdpRequest,
  decodeUtp,
  encodeBwPay,
  encodeHandshake,
  encodeSocksDatagram,
  encodeUdpRequest,
  parseAnnounceQuery,
  parseAnnounceReply,
  parseInfoDict,
  parseMagnet,
  parseMetainfo,
  parseMutableMagnet,
  parseScrapeQuery,
  parseScrapeReply,
  parseTrackerUrl,
  readIgdDescription,
  readSoapReply,
  readTorrentPointer,
} from '../../src/wire/index.ts';
import { answersIn, BREAK } from './answers.ts';
import { readFound } from './corpus.ts';
import { dhtTalk, meetDht, meetUtp, utpTalk } from './datagrams.ts';
import { handshakes, meetInitiator, meetResponder } from './encrypted.ts';
import { tlsAnswers } from './garbled-tls.ts';
import { readDatabase, readDhtFile, readResume, readSessionLists, storedCorpus } from './stored.ts';
import { digests, meetEngine, peerStream, pushStream } from './streams.ts';
import { meetLeecher, meetSeed, torrentTalk } from './torrent-peer.ts';
import { meetTlsTracker, meetTracker, trackerAnswers } from './tracker-web.ts';
import { meetTlsWebSeed, meetWebSeed, webAnswers } from './web-seed.ts';

/** A reader under attack. Whatever it is given, it returns or throws an error of its layer. */
export interface Target {
  readonly name: string;
  readonly corpus: readonly Uint8Array[];
  /** May return a promise. */
  readonly read: (input: Uint8Array) => unknown;
  /** An input takes over 0.1 ms: files or streams are made for each. */
  readonly isSlow?: boolean;
}

const HASH = 'a'.repeat(20);
const HEX = '0123456789abcdef0123456789abcdef01234567';

const stored = await storedCorpus();
const { dialling, accepting } = handshakes();
const talk = torrentTalk();
const torrents = readTorrents();
const infos = texts(
  `d6:lengthi20000e4:name4:file12:piece lengthi16384e6:pieces40:${HASH}${HASH}e`,
  `d5:filesld6:lengthi5e4:pathl1:a1:beee4:name3:dir12:piece lengthi16384e6:pieces20:${HASH}e`,
  `d9:file treed1:ad0:d6:lengthi9e11:pieces root32:${'r'.repeat(32)}eee12:meta versioni2e` +
    '4:name1:a12:piece lengthi16384ee',
);
const announces = texts(
  'd8:intervali1800e5:peers12:abcdefghijkle',
  'd8:intervali60e5:peersld2:ip9:127.0.0.14:porti6881eee6:peers618:abcdefghijklmnopqre',
  'd14:failure reason4:nope8:retry in1:5e',
);
const krpc = texts(
  `d1:ad2:id20:${HASH}9:info_hash20:${HASH}e1:q9:get_peers1:t2:aa1:y1:qe`,
  `d1:rd2:id20:${HASH}5:nodes26:${HASH}abcdef5:token4:abcd6:valuesl6:abcdefee1:t2:aa1:y1:re`,
  'd1:eli201e5:errore1:t2:aa1:y1:ee',
  `d1:ad2:id20:${HASH}1:k32:${'k'.repeat(32)}3:seqi1e3:sig64:${'s'.repeat(64)}5:token1:t` +
    '1:v3:abce1:q3:put1:t1:x1:y1:qe',
);

const BY_HAND: readonly Target[] = [
  onBytes('bencode', [...torrents, ...krpc, ...announces], (bytes) => decodeBencode(bytes)),
  onBytes('metainfo', torrents, (bytes) => parseMetainfo(bytes, digests)),
  onBytes('info-dict', infos, (bytes) => parseInfoDict(bytes, digests)),
  onText('magnet', [`magnet:?xt=urn:btih:${HEX}&dn=a%20b&tr=udp%3A%2F%2Fx%3A1&so=0,2-4`], (text) =>
    parseMagnet(text),
  ),
  onText('mutable-magnet', [`magnet:?xs=urn:btpk:${HEX}${HEX.slice(0, 24)}&s=ab`], (text) =>
    parseMutableMagnet(text),
  ),
  onBytes('handshake', [shake()], (bytes) => decodeHandshake(bytes)),
  onBytes('framer', [peerStream()], pushStream),
  onBytes('peer', [peerStream()], meetEngine),
  onBytes('hashes', [new Uint8Array(48 + 64).fill(1)], (bytes) => decodeHashes(bytes)),
  onBytes('pex', texts('d5:added12:abcdefghijkl7:added.f2:\0\x017:dropped6:abcdefe'), (bytes) =>
    decodePex(bytes),
  ),
  onBytes('holepunch', [Uint8Array.of(1, 0, 8, 0, 0, 1, 26, 225, 0, 0, 0, 0)], (bytes) =>
    decodeHolepunch(bytes),
  ),
  onBytes('dont-have', [Uint8Array.of(0, 0, 0, 7)], (bytes) => decodeDontHave(bytes)),
  onBytes('http-announce-reply', announces, (bytes) => parseAnnounceReply(bytes)),
  onBytes(
    'http-scrape-reply',
    texts(`d5:filesd20:${HASH}d8:completei5e10:downloadedi50e10:incompletei10eeee`),
    (bytes) => parseScrapeReply(bytes),
  ),
  onText(
    'http-announce-query',
    [`info_hash=${HASH}&peer_id=${HASH}&port=6881&uploaded=0&downloaded=0&left=9&compact=1`],
    (text) => parseAnnounceQuery(text),
  ),
  onText('http-scrape-query', [`info_hash=${HASH}&info_hash=%01%02${HASH.slice(2)}`], (text) =>
    parseScrapeQuery(text),
  ),
  onText(
    'tracker-url',
    ['udp://tracker.example:80/announce', 'https://[2001:db8::1]:1/a?b'],
    (text) => parseTrackerUrl(text),
  ),
  onBytes('udp-reply', udpReplies(), (bytes) => {
    decodeUdpReply(bytes, 6);
    return decodeUdpReply(bytes, 4);
  }),
  onBytes('udp-request', udpRequests(), (bytes) => decodeUdpRequest(bytes)),
  onBytes('krpc', krpc, (bytes) => decodeKrpc(bytes)),
  onBytes('torrent-pointer', texts(`d2:ih20:${HASH}e`), (bytes) => readTorrentPointer(bytes)),
  onBytes('utp', [Uint8Array.of(0x21, 1, ...new Array(18).fill(7), 0, 4, 1, 2, 3, 4)], (bytes) =>
    decodeUtp(bytes),
  ),
  onBytes(
    'lsd',
    texts(
      'BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n' +
        `Infohash: ${HEX}\r\ncookie: x\r\n\r\n\r\n`,
    ),
    (bytes) => decodeLsd(bytes),
  ),
  onBytes('bw-pay', payments(), (bytes) => decodeBwPay(bytes)),
  onBytes(
    'pcp',
    [Uint8Array.of(2, 129, ...new Array(34).fill(0), 6, ...new Array(23).fill(9))],
    (bytes) => decodePcpReply(bytes),
  ),
  onBytes('nat-pmp', [Uint8Array.of(0, 130, 0, 0, ...new Array(12).fill(7))], (bytes) =>
    decodeNatPmpReply(bytes),
  ),
  onBytes(
    'ssdp',
    texts('HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLocation: http://10.0.0.1/x\r\n\r\n'),
    (bytes) => decodeSsdpReply(bytes),
  ),
  onBytes('igd', igd(), (bytes) => {
    readSoapReply(bytes, 'A');
    return readIgdDescription(bytes);
  }),
  onText(
    'ip-list',
    ['# x\n1.2.3.4 - 1.2.3.9 , 000 , a\nbad:4.0.0.0-4.0.0.255\n2001:db8::/32\n192.0.2.0/25\n'],
    (text) => parseIpList(text),
  ),
  onBytes('mse-responder', dialling, meetResponder),
  onBytes('mse-initiator', accepting, meetInitiator),
  slow(onBytes('peer-of-leecher', [talk.ofSeed], meetLeecher)),
  slow(onBytes('peer-of-seed', [talk.ofLeecher], meetSeed)),
  onBytes('utp-host', [utpTalk()], meetUtp),
  onBytes('dht-node', [dhtTalk()], meetDht),
  slow(onBytes('socks-proxy', socksAnswers(), meetSocksProxy)),
  slow(onBytes('socks-relay', socksAnswers(), askScriptedProxyForUdp)),
  onBytes('socks-datagram', socksDatagrams(), (bytes) => decodeSocksDatagram(bytes)),
  slow(onBytes('upnp', talks(routerAnswers()), (bytes) => meetRouter(latin1AnswersIn(bytes)))),
  slow(
    onBytes('firewall', talks(firewallAnswers()), (bytes) => meetFirewall(latin1AnswersIn(bytes))),
  ),
  slow(onBytes('http-proxy', texts(...connectAnswers()), meetHttpProxy)),
  slow(onBytes('web-seed', texts(...webAnswers()), meetWebSeed)),
  slow(onBytes('tracker-web', texts(...trackerAnswers()), meetTracker)),
  slow(onBytes('tracker-tls', tlsAnswers(trackerAnswers()), meetTlsTracker)),
  slow(onBytes('web-seed-tls', tlsAnswers(webAnswers()), meetTlsWebSeed)),
  slow(onBytes('resume-record', texts(...stored.resume), readResume)),
  onBytes('session-lists', texts(...stored.lists), readSessionLists),
  slow(onBytes('database', [stored.database], readDatabase)),
  slow(onBytes('dht-file', texts(...stored.dht), readDhtFile)),
];

/** Every target, by the name `--only` takes. */
export const TARGETS: readonly Target[] = BY_HAND.map((target) => ({
  ...target,
  corpus: [...target.corpus, ...readFound(target.name)],
}));

function talks(answers: readonly (readonly string[])[]): Uint8Array[] {
  return texts(...answers.map((talk) => talk.join(BREAK)));
}

function latin1AnswersIn(input: Uint8Array): Buffer[] {
  return answersIn(input).map((answer) => Buffer.from(answer, 'latin1'));
}

function slow(target: Target): Target {
  return { ...target, isSlow: true };
}

function onBytes(name: string, corpus: readonly Uint8Array[], read: Target['read']): Target {
  return { name, corpus, read };
}

function onText(name: string, corpus: readonly string[], read: (text: string) => unknown): Target {
  return {
    name,
    corpus: texts(...corpus),
    read: (input) => read(Buffer.from(input).toString(name === 'ip-list' ? 'utf8' : 'latin1')),
  };
}

function texts(...list: readonly string[]): Uint8Array[] {
  return list.map((text) => Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

function shake(): Uint8Array {
  const flags = { extended: true, fast: true, dht: true };
  const [infoHash = new Uint8Array(20)] = texts(HASH);
  return encodeHandshake({ infoHash, peerId: infoHash, flags });
}

function readTorrents(): Uint8Array[] {
  const folder = join(import.meta.dirname, '../conformance/torrents');
  return ['accept', 'reject'].flatMap((kind) =>
    readdirSync(join(folder, kind))
      .filter((name) => name.endsWith('.torrent'))
      .map((name) => new Uint8Array(readFileSync(join(folder, kind, name))))
      .filter((bytes) => bytes.length < 4096),
  );
}

function igd(): Uint8Array[] {
  return texts(
    '<s:E><s:Body><u:AResponse><r a="1">7</r></u:AResponse><service><serviceType>urn:schemas-' +
      'upnp-org:service:WANIPConnection:1</serviceType><controlURL>/c</controlURL></service>',
    '<?xml?><!-- c --><Fault><errorCode>718</errorCode></Fault><e/><![CDATA[x]]>&lt;',
  );
}

function udpRequests(): Uint8Array[] {
  const infoHash = new Uint8Array(20).fill(7);
  const base = { transactionId: 5, connectionId: 9n };
  return [
    encodeUdpRequest({ action: 'connect', transactionId: 5 }),
    encodeUdpRequest({ action: 'scrape', ...base, infoHashes: [infoHash, infoHash] }),
    concatBytes(new Uint8Array(8), Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 5), new Uint8Array(82)),
  ];
}

function socksDatagrams(): Uint8Array[] {
  const hosts = ['192.0.2.7', '2001:db8::7', 'tracker.test'];
  return hosts.map((host) => encodeSocksDatagram({ host, port: 6881 }, new Uint8Array(20)));
}

function udpReplies(): Uint8Array[] {
  return [0, 1, 2, 3].map((action) =>
    concatBytes(Uint8Array.of(0, 0, 0, action, 0, 0, 0, 5), new Uint8Array(24).fill(action + 1)),
  );
}

function payments(): Uint8Array[] {
  const id = hash32FromBytes(new Uint8Array(32).fill(0xa1));
  const signature = new Uint8Array(65).fill(7);
  return [
    encodeBwPay({ type: 'accept', sequence: 3 }),
    encodeBwPay({ type: 'voucher', allotment: id, lane: 5, amount: atto(256n), signature }),
    ...texts(`d1:a20:${HASH}1:t5:helloe`, 'd3:seqi3e1:t5:quotee', 'd4:code3:bad1:t5:errore'),
  ];
}
