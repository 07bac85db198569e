/** Where the files are that other processes start from: beside the bundle, or in the sources when they run as they are. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Set by the build. */
declare const MILLRACE_BUNDLED: boolean | undefined;

export type Entry =
  'worker' | 'keeper' | 'script-loader' | 'typescript' | 'cli' | 'launch' | 'check' | 'service';

export const isBundled = typeof MILLRACE_BUNDLED !== 'undefined';

/** The absolute path of an entry file. */
export function entryFile(entry: Entry): string {
  if (isBundled) return join(import.meta.dirname, bundledName(entry));
  switch (entry) {
    case 'worker':
      return join(import.meta.dirname, 'pool', 'launch-worker.ts');
    case 'keeper':
      return join(import.meta.dirname, 'store', 'embedded', 'keeper-main.ts');
    case 'script-loader':
      return join(import.meta.dirname, 'loader', 'script-loader.ts');
    case 'typescript':
      return createRequire(import.meta.url).resolve('typescript');
    case 'cli':
      return join(import.meta.dirname, 'cli', 'main.ts');
    case 'launch':
      return join(import.meta.dirname, 'cli', 'launch.ts');
    case 'check':
      return join(import.meta.dirname, '..', 'extension', 'language', 'check-main.ts');
    case 'service':
      return join(import.meta.dirname, 'service', 'main.ts');
  }
}

function bundledName(entry: Entry): string {
  switch (entry) {
    case 'typescript':
      return 'typescript.cjs';
    case 'launch':
      return 'millrace.js';
    default:
      return `${entry}.js`;
  }
}
