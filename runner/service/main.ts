/**
 * The process that an editor forks for each project folder: it reads the history, follows runs and tells the
 * configuration (protocol.ts). It ends with its channel, so that it never outlives the editor.
 *
 * These are the first lines that run: compiled code is kept between starts.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { serve } = await import('./serve.ts');
serve();
