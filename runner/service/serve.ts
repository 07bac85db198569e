/** The service as a process: its channel, its end, its log. */
import { runnerVersion } from '../version.ts';
import { readMessage, readOptions } from './messages.ts';
import { PROTOCOL_VERSION, type FromService } from './protocol.ts';
import { Service } from './service.ts';

/** Milliseconds that connections may take to end in good order. */
const CLOSE_WITHIN = 2_000;

/** Serves the process at the other end of the channel until that is closed. */
export function serve(): void {
  if (process.send === undefined) {
    log('This program is started by the editor.');
    process.exit(2);
  }
  const json = process.env['MILLRACE_SERVICE'];
  // It may hold a password, and is not for the processes that this one starts.
  delete process.env['MILLRACE_SERVICE'];
  const service = new Service(readOptions(json), { send, log });

  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    // A server that does not answer must not keep it.
    setTimeout(() => process.exit(0), CLOSE_WITHIN).unref();
    void service.close().then(() => process.exit(0));
  };
  process.on('disconnect', end);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
  process.on('uncaughtException', error => {
    log(`unexpected: ${error.stack ?? error.message}`);
    // Nobody knows what is still right; the editor starts another one.
    process.exit(1);
  });
  process.on('unhandledRejection', reason => {
    log(`unexpected: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`);
  });
  process.on('message', message => {
    const incoming = readMessage(message);
    switch (incoming.kind) {
      case 'shutdown':
        end();
        break;
      case 'request':
        void service.answer(incoming.request);
        break;
      case 'wrong':
        send({ type: 'error', id: incoming.id, message: incoming.message, code: 'internal' });
        break;
      case 'unknown':
        log(`a message that cannot be understood: ${incoming.message}`);
        break;
    }
  });
  send({ type: 'ready', version: PROTOCOL_VERSION, runnerVersion });
}

function send(message: FromService): void {
  // The editor may be gone at any moment; then this process ends soon.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function log(message: string): void {
  process.stderr.write(`${message}\n`);
}
