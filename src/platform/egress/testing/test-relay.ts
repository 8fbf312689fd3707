/** The part of a small SOCKS5 proxy that relays datagrams, to this machine alone. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type net from 'node:net';
import { encodeSocksDatagram } from '../../../wire/index.ts';

/** How datagrams are relayed. */
export interface TestRelayOptions {
  /** What is said of where to send them; left out, the truth. */
  readonly saidHost?: string;
  readonly names: Readonly<Record<string, string>>;
  /** Told of every datagram: `host:port`, names as they came. */
  readonly onDatagram: (place: string) => void;
}

/** A relay that lives as long as `control`. Answers the request for it. */
export async function startTestRelay(
  control: net.Socket,
  { saidHost, names, onDatagram }: TestRelayOptions,
): Promise<void> {
  const own = control.localAddress ?? '127.0.0.1';
  const inside = createSocket('udp4').bind(0, own);
  const outside = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(inside, 'listening'), once(outside, 'listening')]);
  control.once('close', () => {
    inside.close();
    outside.close();
  });
  let client: { readonly address: string; readonly port: number } | null = null;
  inside.on('message', (message, remote) => {
    client = remote;
    const { host, port, payload } = readForRelay(message);
    onDatagram(`${host}:${port}`);
    const address = host.startsWith('127.') ? host : names[host];
    if (address !== undefined) outside.send(payload, port, address);
  });
  outside.on('message', (payload, { address, port }) => {
    if (!client) return;
    inside.send(encodeSocksDatagram({ host: address, port }, payload), client.port, client.address);
  });
  const said = encodeSocksDatagram(
    { host: saidHost ?? own, port: inside.address().port },
    new Uint8Array(0),
  );
  // The same form, but for what stands before the address.
  control.write(Uint8Array.of(5, 0, 0, ...said.subarray(3)));
}

function readForRelay(message: Buffer): {
  readonly host: string;
  readonly port: number;
  readonly payload: Uint8Array;
} {
  const [, , , kind = 0, length = 0] = message;
  const isName = kind === 3;
  const end = kind === 1 ? 8 : isName ? 5 + length : 20;
  const host = isName ? message.toString('latin1', 5, end) : message.subarray(4, end).join('.');
  return { host, port: message.readUInt16BE(end), payload: message.subarray(end + 2) };
}
