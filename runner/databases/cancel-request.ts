/** Asks a server to stop what a session is doing, over a connection of its own. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

/** Names a session to its server; sent by the server when the session begins. */
export interface BackendKey {
  readonly processId: number;
  readonly secretKey: number;
}

export interface CancelTarget {
  /** A host, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly ssl: boolean | ConnectionOptions;
}

const SSL_REQUEST = 80877103;
const CANCEL_REQUEST = 80877102;

/** Longest wait for the server to take the request, in milliseconds. */
const TIMEOUT = 5000;

/** Sends a cancel request. That it was taken does not mean that something was running, or that it has ended. */
export async function sendCancelRequest(target: CancelTarget, key: BackendKey): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT);
  let socket: Socket = target.host.startsWith('/')
    ? connect({ path: `${target.host}/.s.PGSQL.${String(target.port)}` })
    : connect({ host: target.host, port: target.port });
  try {
    await once(socket, 'connect', { signal });
    if (target.ssl !== false) {
      socket.write(message(SSL_REQUEST));
      const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
      if (answer.toString('latin1', 0, 1) !== 'S')
        throw new Error('The server does not support SSL connections');
      const options = typeof target.ssl === 'object' ? target.ssl : {};
      socket = connectTls({ host: target.host, ...options, socket });
      await once(socket, 'secureConnect', { signal });
    }
    // The server answers by closing the connection.
    const closed = once(socket, 'close', { signal });
    socket.resume();
    socket.end(message(CANCEL_REQUEST, key.processId, key.secretKey));
    await closed;
  } finally {
    socket.destroy();
  }
}

/** A message without a type byte: its length, then numbers of four bytes each. */
function message(...numbers: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 + 4 * numbers.length);
  buffer.writeInt32BE(buffer.length, 0);
  numbers.forEach((number, index) => {
    buffer.writeInt32BE(number, 4 + 4 * index);
  });
  return buffer;
}
