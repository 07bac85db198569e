/** The language server: `node language-server.js --stdio` or, started by an extension, `--node-ipc`. */
import { enableCompileCache } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { useV8Flags } from './v8-flags.ts';

enableCompileCache();
if (isMainThread) {
  useV8Flags();
  (await import('./relay.ts')).relay(import.meta.filename);
} else {
  (await import('./server-thread.ts')).serve();
}
