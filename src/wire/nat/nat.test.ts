import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex } from '../../units/index.ts';
import { encodeUtf8 } from '../bencode/index.ts';
import { WireError } from '../wire-error.ts';
import {
  decodeNatPmpReply,
  decodePcpReply,
  decodeSsdpReply,
  encodeNatPmpAddressRequest,
  encodeNatPmpMapRequest,
  encodePcpMapRequest,
  encodeSoapRequest,
  encodeSsdpSearch,
  readIgdDescription,
  readSoapReply,
  SSDP_GROUP_6,
} from './index.ts';
import { readXml } from './xml.ts';

const NONCE = '000102030405060708090a0b';
const hex = (text: string): Uint8Array => fromHex(text.replaceAll(/\s/g, ''));
const isWireError = (failure: unknown): boolean =>
  failure instanceof WireError && failure.code === 'WIRE_NAT';

// The layouts of RFC 6887, 7.1, 7.2 and 11.1, filled in by hand.
test('a PCP request is the header and the MAP opcode of RFC 6887', () => {
  const request = encodePcpMapRequest({
    clientHost: '192.168.1.7',
    nonce: fromHex(NONCE),
    protocol: 'udp',
    internalPort: 6881,
    externalPort: 40_000,
    lifetimeSeconds: 3600,
  });
  const expected = hex(`02 01 0000 00000e10 00000000000000000000ffffc0a80107
    ${NONCE} 11 000000 1ae1 9c40 00000000000000000000ffff00000000`);
  assert.equal(toHex(request), toHex(expected));
});

test('a PCP answer says which port is mapped to which, and for how long', () => {
  const view = hex(`02 81 00 00 00000708 00000064 000000000000000000000000
    ${NONCE} 06 000000 1ae1 9c40 00000000000000000000ffff08080801`);
  assert.deepEqual(decodePcpReply(view), {
    kind: 'mapped',
    nonce: fromHex(NONCE),
    protocol: 'tcp',
    internalPort: 6881,
    externalPort: 40_000,
    externalHost: '8.8.8.1',
    lifetimeSeconds: 1800,
  });
  const refused = Uint8Array.from(view, (byte, at) => (at === 3 ? 2 : byte));
  assert.deepEqual(decodePcpReply(refused), {
    kind: 'refused',
    resultCode: 2,
    nonce: fromHex(NONCE),
  });
});

test('over IPv6 PCP asks from our own address for any address outside (RFC 6887, 5 and 11.1)', () => {
  const request = encodePcpMapRequest({
    clientHost: '2001:db8::7',
    nonce: fromHex(NONCE),
    protocol: 'tcp',
    internalPort: 6881,
    externalPort: 6881,
    lifetimeSeconds: 3600,
  });
  const expected = hex(`02 01 0000 00000e10 20010db8000000000000000000000007
    ${NONCE} 06 000000 1ae1 1ae1 00000000000000000000000000000000`);
  assert.equal(toHex(request), toHex(expected));
});

// As miniupnpd 2.3.1 answered it.
test('a firewall without translation answers with our own address and port', () => {
  const view = hex(`02 81 00 00 00000e10 00000002 000000000000000000000000
    ${NONCE} 06 000000 1ae1 1ae1 2a0e0009000100000000000000000002`);
  assert.deepEqual(decodePcpReply(view), {
    kind: 'mapped',
    nonce: fromHex(NONCE),
    protocol: 'tcp',
    internalPort: 6881,
    externalPort: 6881,
    externalHost: '2a0e:9:1::2',
    lifetimeSeconds: 3600,
  });
});

test('a router that only knows NAT-PMP answers PCP with its version (RFC 6887, appendix A)', () => {
  assert.deepEqual(decodePcpReply(hex('00 81 0001 00000064')), {
    kind: 'other-version',
    version: 0,
  });
});

// The layouts of RFC 6886, 3.2 and 3.3.
test('NAT-PMP asks in 2 bytes for the address, and in 12 for a port', () => {
  assert.equal(toHex(encodeNatPmpAddressRequest()), '0000');
  const about = { protocol: 'tcp', internalPort: 6881, externalPort: 6882 } as const;
  const request = encodeNatPmpMapRequest({ ...about, lifetimeSeconds: 7200 });
  assert.equal(toHex(request), '000200001ae11ae200001c20');
});

test('NAT-PMP answers with an address, a port, or a result code', () => {
  const address = decodeNatPmpReply(hex('00 80 0000 00000064 08080801'));
  assert.deepEqual(address, { kind: 'address', host: '8.8.8.1' });
  assert.deepEqual(decodeNatPmpReply(hex('00 81 0000 00000064 1ae1 1ae2 00001c20')), {
    kind: 'mapped',
    protocol: 'udp',
    internalPort: 6881,
    externalPort: 6882,
    lifetimeSeconds: 7200,
  });
  const refused = decodeNatPmpReply(hex('00 82 0002 00000064'));
  assert.deepEqual(refused, { kind: 'refused', op: 2, resultCode: 2 });
});

test('what is cut short or asked instead of answered is refused', () => {
  for (const text of ['', '00', '0080', '00800000000000640808', '0002000000000000', '0083']) {
    assert.throws(() => decodeNatPmpReply(fromHex(text)), isWireError, text);
  }
  for (const text of ['', '02', '0281000000000000', `0201${'00'.repeat(58)}`]) {
    assert.throws(() => decodePcpReply(fromHex(text)), isWireError, text);
  }
});

test('a search by SSDP has the four lines of the UPnP architecture', () => {
  assert.equal(
    Buffer.from(encodeSsdpSearch('x:y:1')).toString(),
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\n' +
      'MX: 2\r\nST: x:y:1\r\n\r\n',
  );
});

test('over IPv6 it names the group of our own link (annex A of the architecture)', () => {
  assert.match(
    Buffer.from(encodeSsdpSearch('x:y:1', SSDP_GROUP_6)).toString(),
    /^M-SEARCH \* HTTP\/1\.1\r\nHOST: \[FF02::C\]:1900\r\n/,
  );
});

test('of an answer to it, kind and location are read, whatever the order and case', () => {
  const answer =
    'HTTP/1.1 200 OK\r\nlocation:http://10.0.0.1:5000/d.xml \r\nEXT:\r\nSt: a:b\r\n\r\n';
  assert.deepEqual(decodeSsdpReply(encodeUtf8(answer)), {
    target: 'a:b',
    location: 'http://10.0.0.1:5000/d.xml',
  });
  for (const other of [
    '',
    'HTTP/1.1 200 OK',
    'HTTP/1.1 404 Not\r\nST: a\r\nLOCATION: b\r\n\r\n',
    'NOTIFY * HTTP/1.1\r\nST: a\r\nLOCATION: b\r\n\r\n',
    `HTTP/1.1 200 OK\r\nST: a\r\nLOCATION: http://${'b'.repeat(2000)}\r\n\r\n`,
  ]) {
    assert.throws(() => decodeSsdpReply(encodeUtf8(other)), isWireError, other);
  }
});

test("a description's services are found however deep, and only those that let peers in", () => {
  const service = (type: string, url: string): string =>
    `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType>` +
    `<SCPDURL>/no</SCPDURL><controlURL>${url}</controlURL></service>`;
  const document =
    '<?xml version="1.0"?><!-- > --><root xmlns="a>b"><URLBase> http://10.0.0.1:80 </URLBase>' +
    `<device a='>'>${service('Layer3Forwarding:1', '/l3')}<deviceList><device><d:serviceList>` +
    `${service('WANPPPConnection:1', '/a?b&amp;c')}${service('WANIPConnection:2', '/ip')}` +
    `<service><serviceType>WANIPConnection:1</serviceType></service>` +
    `${service('WANIPv6FirewallControl:1', '/ctl/IP6FCtl')}</d:serviceList>`;
  assert.deepEqual(readIgdDescription(encodeUtf8(document)), {
    urlBase: 'http://10.0.0.1:80',
    services: [
      { type: 'urn:schemas-upnp-org:service:WANPPPConnection:1', controlUrl: '/a?b&c' },
      { type: 'urn:schemas-upnp-org:service:WANIPConnection:2', controlUrl: '/ip' },
    ],
    firewalls: [
      {
        type: 'urn:schemas-upnp-org:service:WANIPv6FirewallControl:1',
        controlUrl: '/ctl/IP6FCtl',
      },
    ],
  });
});

test('a call is an envelope with the arguments in order', () => {
  const args = { NewRemoteHost: '', NewExternalPort: 6881 };
  const body = encodeSoapRequest({ serviceType: 'urn:s:1', action: 'Do', args });
  assert.match(
    Buffer.from(body).toString(),
    /<u:Do xmlns:u="urn:s:1"><NewRemoteHost><\/NewRemoteHost><NewExternalPort>6881<\/New/,
  );
});

test('an answer is what the call returned, or an error code', () => {
  const ok = '<s:Envelope><s:Body><u:DoResponse><A>1</A><B><![CDATA[<2>]]></B></u:DoResponse>';
  const reply = readSoapReply(encodeUtf8(ok), 'Do');
  assert.ok(reply.ok);
  assert.deepEqual([reply.results.get('A'), reply.results.get('B')], ['1', '<2>']);
  const fault =
    '<s:Fault><detail><UPnPError><errorCode>718</errorCode></UPnPError></detail></s:Fault>';
  assert.deepEqual(readSoapReply(encodeUtf8(fault), 'Do'), { ok: false, errorCode: 718 });
  const vague = readSoapReply(encodeUtf8('<Fault><errorCode>x</errorCode></Fault>'), 'Do');
  assert.deepEqual(vague, { ok: false, errorCode: -1 });
  assert.throws(() => readSoapReply(encodeUtf8('<html>'), 'Do'), isWireError);
});

// As miniupnpd 2.3.1 answers.
test('a firewall says how it is, and by which number it knows a pinhole', () => {
  const answer = (action: string, inside: string): Uint8Array =>
    encodeUtf8(
      '<?xml version="1.0"?>\r\n' +
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
        `<u:${action}Response xmlns:u="urn:schemas-upnp-org:service:WANIPv6FirewallControl:1">` +
        `${inside}</u:${action}Response></s:Body></s:Envelope>\r\n`,
    );
  const said =
    '<FirewallEnabled>1</FirewallEnabled><InboundPinholeAllowed>1</InboundPinholeAllowed>';
  const status = readSoapReply(answer('GetFirewallStatus', said), 'GetFirewallStatus');
  assert.ok(status.ok);
  assert.deepEqual(
    [...status.results],
    [
      ['FirewallEnabled', '1'],
      ['InboundPinholeAllowed', '1'],
    ],
  );
  const added = readSoapReply(answer('AddPinhole', '<UniqueID>2</UniqueID>'), 'AddPinhole');
  assert.ok(added.ok);
  assert.equal(added.results.get('UniqueID'), '2');
  assert.ok(readSoapReply(answer('UpdatePinhole', ''), 'UpdatePinhole').ok);
});

test('entities of its own, tags without end and endless tags are refused', () => {
  for (const document of ['<!DOCTYPE a>', '<a', '<a b="', '<!-- ', '<![CDATA[', '<>', '</>']) {
    assert.throws(() => [...readXml(document)], isWireError, document);
  }
  assert.throws(() => [...readXml('<a>'.repeat(20_000))], isWireError);
});

test('arbitrary bytes are read or refused with the error of the layer', () => {
  const readers = [
    decodeNatPmpReply,
    decodePcpReply,
    decodeSsdpReply,
    readIgdDescription,
    (view: Uint8Array) => readSoapReply(view, 'Do'),
  ];
  const parts = ['<service>', '</', '<![CDATA[', '"', '>', 'HTTP/1.1 200 OK\r\n', 'ST:', '&lt;'];
  const text = fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 5 })));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    text.map((list) => encodeUtf8(list.join(''))),
  );
  fc.assert(
    fc.property(bytes, fc.constantFrom(...readers), (view, read) => {
      try {
        read(view);
      } catch (failure) {
        assert.ok(isWireError(failure), `${failure}`);
      }
    }),
    { numRuns: 1_000 },
  );
});
