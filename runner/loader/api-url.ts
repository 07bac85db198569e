/** Where the module is that `import 'millrace'` means, for processes that do not have it loaded anyway. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isBundled } from '../entry-files.ts';

export function apiUrl(): URL {
  const file = isBundled
    ? join(import.meta.dirname, 'api.js')
    : join(import.meta.dirname, '..', 'api', 'index.ts');
  return pathToFileURL(file);
}
