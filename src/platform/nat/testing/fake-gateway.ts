/** A home router for tests: PCP, NAT-PMP and UPnP on real sockets, and a table of mappings. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import { text } from 'node:stream/consumers';
import { hostAndPort } from '../../../units/index.ts';
import { FakeFirewall, type FakeFirewallOptions } from './fake-firewall.ts';

/** How a router is. */
export interface FakeGatewayOptions {
  /** What it speaks; PCP without NAT-PMP ignores that, NAT-PMP alone refuses PCP's version. */
  readonly speaks: readonly ('pcp' | 'nat-pmp' | 'upnp')[];
  /** Its address inside; with one of IPv6 it has a firewall, and nothing to translate. */
  readonly host?: string;
  readonly firewall?: FakeFirewallOptions;
  /** Its address outside. */
  readonly externalHost?: string;
  /** On the ports and the group of the standards; else on any. */
  readonly isOnStandardPorts?: boolean;
  /** External ports that somebody else has. */
  readonly taken?: readonly number[];
  /** Refuses everything. */
  readonly isStrict?: boolean;
  /** Grants this, whatever is asked for. */
  readonly lifetimeSeconds?: number;
  /** UPnP: knows no lease but one for ever. */
  readonly isPermanentOnly?: boolean;
  /** Sends rubbish before each answer. */
  readonly isNoisy?: boolean;
  /** Which `LOCATION` it names; its own if left out. */
  readonly location?: string;
  /** Answers HTTP in its place. */
  readonly onHttp?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A running router. */
export interface FakeGateway extends AsyncDisposable {
  readonly datagramPort: number;
  readonly ssdpGroup: { readonly host: string; readonly port: number };
  readonly httpPort: number;
  /** Whom it forwards: `tcp 6881 -> 6881`, the external port last. */
  mappings(): string[];
  /** Everything that changed, in order: `map tcp 6881 -> 6881` and `unmap tcp 6881`. */
  readonly journal: readonly string[];
  /** Resolves when the journal has so many entries. */
  reached(entries: number): Promise<void>;
  /** Datagrams that came in. */
  heardCount(): number;
  /** From now on it takes datagrams, and says nothing. */
  fallSilent(): void;
  /** It starts anew, with its firewall closed. */
  restart(): void;
}

const GROUP = '239.255.255.250';
const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1';

/** Datagrams that one or the other client has died of, and answers to what nobody asked. */
const RUBBISH: readonly Uint8Array[] = [
  '',
  'x',
  'HELLO * HTTP/1.1\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 200 OK\r\nST: x\r\nUSN: y\r\nLOCATION: http://127.0.0.1/\r\n\r\n',
  `\x02\x81${'\0'.repeat(58)}`,
  `\x02\x81\0\x02${'\0'.repeat(56)}`,
  `\0\x82${'\0'.repeat(14)}`,
  `\0\x80\0\x02${'\0'.repeat(4)}`,
].map((line) => Buffer.from(line, 'latin1'));

/** Starts a router; on loopback if not told otherwise. */
export async function startFakeGateway(options: FakeGatewayOptions): Promise<FakeGateway> {
  const { host = '127.0.0.1', isOnStandardPorts = false, speaks } = options;
  const table = new MappingTable(options);
  const sockets: Socket[] = [];
  let heard = 0;
  const open = async (port: number, address: string): Promise<Socket> => {
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reuseAddr: true });
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.bind(port, address, resolve));
    socket.on('message', () => heard++);
    return socket;
  };
  const datagrams = await open(isOnStandardPorts ? 5351 : 0, host);
  let isSilent = false;
  const answer = (socket: Socket, view: Uint8Array, to: RemoteInfo): void => {
    if (isSilent) return;
    const rubbish = options.isNoisy ? RUBBISH : [];
    for (const one of [...rubbish, view]) socket.send(one, to.port, to.address);
  };
  datagrams.on('message', (view, from) => {
    const found = answerDatagram(view, table, options);
    if (found) answer(datagrams, found, from);
  });
  const server = createServer((request, response) => {
    if (options.onHttp) options.onHttp(request, response);
    else void answerHttp(request, response, table);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const httpPort = (server.address() as { readonly port: number }).port;
  const ssdp = await open(isOnStandardPorts ? 1900 : 0, isOnStandardPorts ? '0.0.0.0' : host);
  if (isOnStandardPorts) ssdp.addMembership(GROUP, host);
  ssdp.on('message', (view, from) => {
    if (!speaks.includes('upnp') || !view.toString().startsWith('M-SEARCH')) return;
    const location =
      options.location ?? `http://${hostAndPort({ host, port: httpPort })}/description.xml`;
    const kind = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1';
    const lines = ['HTTP/1.1 200 OK', `ST: ${kind}`, `LOCATION: ${location}`, 'USN: uuid:1'];
    answer(ssdp, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), from);
  });
  return {
    datagramPort: datagrams.address().port,
    ssdpGroup: { host, port: ssdp.address().port },
    httpPort,
    mappings: () => table.list(),
    journal: table.journal,
    reached: (entries) => table.reached(entries),
    heardCount: () => heard,
    fallSilent: () => {
      isSilent = true;
    },
    restart: () => table.firewall.forget(),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What the router forwards. */
class MappingTable {
  readonly journal: string[] = [];
  readonly externalHost: string;
  readonly firewall: FakeFirewall;
  readonly #options: FakeGatewayOptions;
  readonly #mappings = new Map<string, number>();
  #waiting: { readonly entries: number; readonly resolve: () => void }[] = [];

  constructor(options: FakeGatewayOptions) {
    this.#options = options;
    this.externalHost = options.externalHost ?? '8.8.8.1';
    this.firewall = new FakeFirewall(this, options.firewall ?? {});
  }

  get options(): FakeGatewayOptions {
    return this.#options;
  }

  /** The external port given; null when that is not to be had. */
  add(key: string, wanted: number, mayDiffer: boolean): number | null {
    const isTaken = this.#options.taken?.includes(wanted) ?? false;
    if (this.#options.isStrict || (isTaken && !mayDiffer)) return null;
    const external = isTaken ? wanted + 1000 : wanted;
    this.#mappings.set(key, external);
    this.#note(`map ${key} -> ${external}`);
    return external;
  }

  remove(key: string): void {
    if (this.#mappings.delete(key)) this.#note(`unmap ${key}`);
  }

  /** By protocol and external port. */
  find(protocol: string, external: number): string | null {
    const found = [...this.#mappings].find(
      ([key, port]) => key.startsWith(protocol) && port === external,
    );
    return found?.[0] ?? null;
  }

  list(): string[] {
    return [...this.#mappings].map(([key, external]) => `${key} -> ${external}`);
  }

  reached(entries: number): Promise<void> {
    if (this.journal.length >= entries) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ entries, resolve }));
  }

  #note(entry: string): void {
    this.journal.push(entry);
    const due = this.#waiting.filter(({ entries }) => this.journal.length >= entries);
    this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    for (const { resolve } of due) resolve();
  }
}

/** PCP (RFC 6887) and NAT-PMP (RFC 6886), by the layouts of the standards. */
function answerDatagram(
  view: Buffer,
  table: MappingTable,
  { speaks, lifetimeSeconds }: FakeGatewayOptions,
): Buffer | null {
  if (view[0] === 2) {
    if (speaks.includes('pcp')) return answerPcp(view, table, lifetimeSeconds);
    // Version 0, result 1: "unsupported version".
    return speaks.includes('nat-pmp') ? Buffer.from('008100010000000a', 'hex') : null;
  }
  if (view[0] !== 0 || !speaks.includes('nat-pmp')) return null;
  const op = view[1] ?? 0;
  if (op === 0) {
    const address = table.externalHost.split('.').map(Number);
    return Buffer.from([0, 128, 0, 0, 0, 0, 0, 10, ...address]);
  }
  const key = `${op === 1 ? 'udp' : 'tcp'} ${view.readUInt16BE(4)}`;
  const lifetime = view.readUInt32BE(8);
  if (lifetime === 0) table.remove(key);
  const external = lifetime === 0 ? 0 : table.add(key, view.readUInt16BE(6), true);
  const answer = Buffer.alloc(16);
  answer[1] = op + 128;
  if (external === null) answer.writeUInt16BE(2, 2);
  view.copy(answer, 8, 4, 6);
  answer.writeUInt16BE(external ?? 0, 10);
  answer.writeUInt32BE(lifetime === 0 ? 0 : (lifetimeSeconds ?? lifetime), 12);
  return answer;
}

function answerPcp(view: Buffer, table: MappingTable, granted: number | undefined): Buffer {
  const key = `${view[36] === 17 ? 'udp' : 'tcp'} ${view.readUInt16BE(40)}`;
  const lifetime = view.readUInt32BE(4);
  if (lifetime === 0) table.remove(key);
  const external = lifetime === 0 ? 0 : table.add(key, view.readUInt16BE(42), true);
  const answer = Buffer.alloc(60);
  view.copy(answer, 24, 24, 60);
  answer.set([2, 129, 0, external === null ? 2 : 0]);
  answer.writeUInt32BE(lifetime === 0 ? 0 : (granted ?? lifetime), 4);
  answer.writeUInt16BE(external ?? 0, 42);
  // A firewall translates nothing: our address outside is the one that we ask from.
  if (isIPv6(table.options.host ?? '')) view.copy(answer, 44, 8, 24);
  else answer.set([0xff, 0xff, ...table.externalHost.split('.').map(Number)], 54);
  return answer;
}

async function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  table: MappingTable,
): Promise<void> {
  const body = await text(request);
  response.setHeader('content-type', 'text/xml');
  if (request.method === 'GET') {
    response.end(describe());
    return;
  }
  const action = /#(\w+)/.exec(`${request.headers['soapaction']}`)?.[1] ?? '';
  const field = (name: string): string =>
    new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
  const isFirewall = request.headers['soapaction']?.includes(FakeFirewall.SERVICE) ?? false;
  const client = `${request.socket.remoteAddress}`;
  const outcome = isFirewall
    ? table.firewall.answer(action, field, client)
    : call(action, field, table);
  const isFault = typeof outcome === 'number';
  response.statusCode = isFault ? 500 : 200;
  const inside = isFault
    ? `<s:Fault><faultcode>s:Client</faultcode><detail><UPnPError><errorCode>${outcome}` +
      '</errorCode></UPnPError></detail></s:Fault>'
    : `<u:${action}Response xmlns:u="${SERVICE}">${outcome}</u:${action}Response>`;
  response.end(`<?xml version="1.0"?><s:Envelope><s:Body>${inside}</s:Body></s:Envelope>`);
}

/** What a call returns, or its error code. */
function call(
  action: string,
  field: (name: string) => string,
  table: MappingTable,
): string | number {
  const external = Number(field('NewExternalPort'));
  const protocol = field('NewProtocol').toLowerCase();
  if (action === 'GetExternalIPAddress') {
    return `<NewExternalIPAddress>${table.externalHost}</NewExternalIPAddress>`;
  }
  // As the standard wants it: a protocol, and the external port.
  if (!['tcp', 'udp'].includes(protocol)) return 402;
  if (action === 'DeletePortMapping') {
    const key = table.find(protocol, external);
    if (key === null) return 714;
    table.remove(key);
    return '';
  }
  if (table.options.isStrict) return 606;
  if (table.options.isPermanentOnly && field('NewLeaseDuration') !== '0') return 725;
  const given = table.add(`${protocol} ${field('NewInternalPort')}`, external, false);
  return given === null ? 718 : '';
}

function describe(): string {
  const service = (type: string, path: string): string =>
    `<service><serviceType>${type}</serviceType><serviceId>x</serviceId>` +
    `<controlURL>${path}</controlURL><SCPDURL>/x.xml</SCPDURL></service>`;
  return (
    '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>' +
    '<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><serviceList>' +
    `${service('urn:schemas-upnp-org:service:Layer3Forwarding:1', '/l3')}</serviceList>` +
    `<deviceList><device><serviceList>${service(SERVICE, '/control')}` +
    `${service(FakeFirewall.SERVICE, '/firewall')}</serviceList></device>` +
    '</deviceList></device></root>'
  );
}
