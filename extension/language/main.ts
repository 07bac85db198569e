/** The language server: `node language-server.js --stdio` or, started by an extension, `--node-ipc`. */
import { enableCompileCache } from 'node:module';
import { isMainThread } from 'node:worker_threads';

enableCompileCache();
if (isMainThread) (await import('./relay.ts')).relay(import.meta.filename);
else (await import('./server-thread.ts')).serve();
