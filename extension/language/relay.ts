/**
 * The thread that talks to the editor. It only passes messages on, to a thread that analyses: so it can tell that one
 * at any time that what it computes is about an old text.
 */
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import {
  IPCMessageReader,
  IPCMessageWriter,
  type Message,
  type MessageReader,
  type MessageWriter,
  PortMessageReader,
  PortMessageWriter,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import { EditClock } from './edit-clock.ts';

/** What the other thread begins with. */
export interface ServerThreadData {
  readonly clock: SharedArrayBuffer;
}

/** Messages after which an earlier analysis is about an old text. */
const edits = new Set([
  'textDocument/didOpen',
  'textDocument/didChange',
  'textDocument/didClose',
  'workspace/didChangeWatchedFiles',
]);

export function isEdit(message: Message): boolean {
  return 'method' in message && typeof message.method === 'string' && edits.has(message.method);
}

/** @param file what both threads start from */
export function relay(file: string): void {
  const clock = new EditClock();
  const data: ServerThreadData = { clock: clock.buffer };
  const server = new Worker(file, { workerData: data, stdout: true, stderr: true });
  // Standard output is for messages alone.
  server.stdout.pipe(process.stderr);
  server.stderr.pipe(process.stderr);
  const [fromEditor, toEditor] = editorChannel();
  const [fromServer, toServer]: [MessageReader, MessageWriter] = [
    new PortMessageReader(server),
    new PortMessageWriter(server),
  ];
  fromEditor.listen(message => {
    if (isEdit(message)) clock.arrive();
    pass(toServer, message);
  });
  fromServer.listen(message => {
    pass(toEditor, message);
  });
  const end = (): void => {
    process.exit(process.exitCode ?? 1);
  };
  fromEditor.onClose(end);
  // The channel of Node is closed in its own way.
  process.on('disconnect', end);
  fromEditor.onError(end);
  server.on('exit', code => process.exit(code));
  server.on('error', (error: Error) => {
    process.stderr.write(
      `millrace: internal error of the language server, please report it: ${error.stack ?? error.message}\n`,
    );
  });
}

function editorChannel(): readonly [MessageReader, MessageWriter] {
  return process.argv.includes('--node-ipc')
    ? [new IPCMessageReader(process), new IPCMessageWriter(process)]
    : [new StreamMessageReader(process.stdin), new StreamMessageWriter(process.stdout)];
}

function pass(writer: MessageWriter, message: Message): void {
  writer.write(message).catch(() => {
    // The editor is gone, and with it the reason to go on.
    process.exit(1);
  });
}
