/** Fuzzed bytes as what a router answers when its description is fetched and a port is mapped. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { UpnpFirewall } from '../upnp-firewall.ts';
import { UpnpGateway } from '../upnp-gateway.ts';

const HOST = '127.0.0.1';
const FROM = { localHost: HOST };
const NEVER = new AbortController().signal;

let running: Promise<Server> | null = null;
/** What the next connections are answered with. */
let answers: Uint8Array[] = [];

/**
 * A router that gives these answers, one for each connection, and is asked to map a port or to open
 * its firewall. Resolves to the port outside, 0 for none.
 */
export async function meetRouter(
  given: readonly Uint8Array[],
  Upnp: typeof UpnpGateway | typeof UpnpFirewall = UpnpGateway,
): Promise<number> {
  answers = [...given];
  running ??= listen();
  const { port } = (await running).address() as AddressInfo;
  const gateway = await Upnp.open(new URL(`http://${HOST}:${port}/x`), FROM, NEVER);
  const wish = { protocol: 'tcp', port: 6881 } as const;
  const mapped = await gateway.map(wish, { externalPort: 6881, signal: NEVER });
  return mapped?.externalPort ?? 0;
}

/** As `meetRouter`, of its firewall for IPv6. */
export function meetFirewall(given: readonly Uint8Array[]): Promise<number> {
  return meetRouter(given, UpnpFirewall);
}

/** Answers of routers with a firewall: a description, how it is, a pinhole; and a fault. */
export function firewallAnswers(): readonly (readonly string[])[] {
  const description = reply(
    '<service><serviceType>urn:schemas-upnp-org:service:WANIPv6FirewallControl:1</serviceType>' +
      '<controlURL>/c</controlURL></service>',
  );
  const status = (enabled: number): string =>
    reply(
      `<u:GetFirewallStatusResponse><FirewallEnabled>${enabled}</FirewallEnabled>` +
        '<InboundPinholeAllowed>1</InboundPinholeAllowed></u:GetFirewallStatusResponse>',
    );
  const added = reply('<u:AddPinholeResponse><UniqueID>1</UniqueID></u:AddPinholeResponse>');
  const fault = reply('<Fault><errorCode>702</errorCode></Fault>', '500 Internal Server Error');
  return [
    [description, status(1), added],
    [description, status(0)],
    [description, fault, fault],
  ];
}

/** Answers of routers: a description, an address, a mapping; and faults. */
export function routerAnswers(): readonly (readonly string[])[] {
  const type = 'urn:schemas-upnp-org:service:WANIPConnection:1';
  const description = reply(
    `<root><service><serviceType>${type}</serviceType><controlURL>/c</controlURL></service></root>`,
  );
  const soap = (body: string): string => `<s:Envelope><s:Body>${body}</s:Body></s:Envelope>`;
  const address = reply(
    soap(
      '<u:GetExternalIPAddressResponse><NewExternalIPAddress>1.2.3.4</NewExternalIPAddress>' +
        '</u:GetExternalIPAddressResponse>',
    ),
  );
  const mapped = reply(soap('<u:AddPortMappingResponse/>'));
  const fault = (code: number): string =>
    reply(
      soap(`<s:Fault><detail><errorCode>${code}</errorCode></detail></s:Fault>`),
      '500 Internal Server Error',
    );
  const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<root\r\n1\r\n>\r\n0\r\n\r\n`;
  return [
    [description, address, mapped, address],
    [description, address, fault(718), fault(725), mapped, address],
    [description, fault(501), fault(402)],
    [chunked],
    ['HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n'],
    ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx'],
  ];
}

function reply(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function listen(): Promise<Server> {
  const server = createServer((socket) => {
    const answer = answers.shift();
    socket.on('error', () => {});
    if (answer === undefined) socket.resetAndDestroy();
    else socket.once('data', () => socket.end(answer));
  });
  server.unref().listen(0, HOST);
  await once(server, 'listening');
  return server;
}
