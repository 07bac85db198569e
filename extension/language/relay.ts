/**
 * The thread that talks to the editor. It only passes messages on, to a thread that analyses: so it can tell that one
 * at any time that what it computes is about an old text.
 */
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import {
  IPCMessageReader,
  type Message,
  type MessageReader,
  PortMessageWriter,
  StreamMessageReader,
} from 'vscode-languageserver/node';
import { EditClock } from './edit-clock.ts';
import { youngGeneration } from './v8-flags.ts';

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
  const server = new Worker(file, {
    workerData: data,
    stdout: true,
    stderr: true,
    resourceLimits: { maxYoungGenerationSizeMb: youngGeneration },
  });
  // Standard output is for messages alone.
  server.stdout.pipe(process.stderr);
  server.stderr.pipe(process.stderr);
  const { fromEditor, toEditor } = editorChannel();
  const toServer = new PortMessageWriter(server);
  fromEditor.listen(message => {
    if (isEdit(message)) clock.arrive();
    void toServer.write(message);
  });
  server.on('message', toEditor);
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

interface EditorChannel {
  readonly fromEditor: MessageReader;
  /** Takes a message as the bytes of its JSON. */
  readonly toEditor: (bytes: Uint8Array) => void;
}

function editorChannel(): EditorChannel {
  // The editor is gone, and with it the reason to go on.
  const check = (error?: Error | null): void => {
    if (error) process.exit(1);
  };
  if (process.argv.includes('--node-ipc')) {
    const decoder = new TextDecoder();
    return {
      fromEditor: new IPCMessageReader(process),
      toEditor: bytes => process.send?.(JSON.parse(decoder.decode(bytes)), undefined, undefined, check),
    };
  }
  return {
    fromEditor: new StreamMessageReader(process.stdin),
    toEditor: bytes => {
      process.stdout.write(`Content-Length: ${String(bytes.length)}\r\n\r\n`, check);
      process.stdout.write(bytes, check);
    },
  };
}
