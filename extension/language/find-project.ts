/** Which project a file belongs to: as the command line finds it (runner/loader/project.ts). */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const markers = [
  'millrace.config.ts',
  'millrace.config.mts',
  'millrace.config.js',
  'millrace.config.mjs',
  'package.json',
  '.git',
];

/** The nearest directory, going up, that is a project; the directory itself where there is none. */
export function projectDirectoryOf(start: string): string {
  for (let directory = start; ; directory = dirname(directory)) {
    if (markers.some(name => statSync(join(directory, name), { throwIfNoEntry: false }) !== undefined)) {
      return directory;
    }
    if (dirname(directory) === directory) return start;
  }
}
