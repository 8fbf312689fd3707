/** Gives a connection that Node has made another socket: one that reads into the shared buffer. */
import net from 'node:net';
import type { TcpConnection } from './tcp-connection.ts';

/** A socket's private handle: the only way to give a connected socket a static read buffer. */
interface WithHandle {
  _handle?: unknown;
}

/** The new socket is paused; the donor is destroyed, and the connection stays. */
export function adoptSocket(donor: net.Socket, connection: TcpConnection): net.Socket {
  const holder = donor as net.Socket & WithHandle;
  const handle = holder._handle;
  if (handle === undefined || handle === null) return donor;
  holder._handle = null;
  donor.destroy();
  const options = { handle, onread: connection.readOptions(), pauseOnCreate: true };
  // A handle is not in the public type of the constructor, though it is what `net.Server` uses.
  const socket = new net.Socket(options as unknown as net.SocketConstructorOpts);
  socket.setNoDelay(true);
  return socket;
}
