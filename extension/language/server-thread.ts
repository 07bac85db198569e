/** The thread that analyses and answers. */
import { parentPort, workerData } from 'node:worker_threads';
import { createConnection, PortMessageReader, PortMessageWriter } from 'vscode-languageserver/node';
import { EditClock } from './edit-clock.ts';
import type { ServerThreadData } from './relay.ts';
import { startServer } from './server.ts';

export function serve(): void {
  if (parentPort === null) throw new Error('the server is a thread of its own');
  const { clock } = workerData as ServerThreadData;
  const connection = createConnection(new PortMessageReader(parentPort), new PortMessageWriter(parentPort));
  startServer(connection, new EditClock(clock));
}
