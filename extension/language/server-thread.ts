/** The thread that analyses and answers. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import {
  AbstractMessageWriter,
  createConnection,
  type Message,
  type MessageWriter,
  PortMessageReader,
} from 'vscode-languageserver/node';
import { EditClock } from './edit-clock.ts';
import type { ServerThreadData } from './relay.ts';
import { startServer } from './server.ts';

export function serve(): void {
  if (parentPort === null) throw new Error('the server is a thread of its own');
  const { clock } = workerData as ServerThreadData;
  const connection = createConnection(new PortMessageReader(parentPort), new ByteWriter(parentPort));
  startServer(connection, new EditClock(clock));
}

/** Hands messages over as the bytes that the editor gets, so that the thread which passes them on need not take them apart. */
class ByteWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    super();
    this.#port = port;
  }

  write(message: Message): Promise<void> {
    // Memory of its own: that of Node's pool cannot be handed over.
    const bytes = new TextEncoder().encode(JSON.stringify(message));
    this.#port.postMessage(bytes, [bytes.buffer]);
    return Promise.resolve();
  }

  end(): void {
    this.#port.close();
  }
}
