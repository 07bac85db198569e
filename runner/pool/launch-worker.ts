/** The file that workers start from: keeps compiled code between starts, which must be said before anything is imported. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./worker.ts');
