/**
 * The entry that lies below a user's own script: `node --import <this file> script.ts`. It gives the script what pipeline
 * files have: TypeScript as it is written, and `import 'millrace'`, which is loaded only if the script asks for it.
 */
import { join } from 'node:path';
import { stateHome } from '../store/embedded/paths.ts';
import { apiUrl } from './api-url.ts';
import { registerHooks } from './hooks.ts';

registerHooks({ api: apiUrl(), cacheDirectory: join(stateHome(), 'cache') });
