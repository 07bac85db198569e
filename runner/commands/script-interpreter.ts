/** Which program runs a script. */
import { extname } from 'node:path';
import { execPath, platform } from 'node:process';
import { pathToFileURL } from 'node:url';
import { entryFile } from '../entry-files.ts';

/** A program, what it gets before the script's own name, and what it needs in its environment. */
export interface Interpreter {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How the program is shown. */
  readonly name: string;
}

/** Endings of the scripts that can be run. */
export const scriptExtensions: readonly string[] = [
  '.ts',
  '.mts',
  '.cts',
  '.js',
  '.mjs',
  '.cjs',
  '.py',
  '.sh',
  '.rb',
  '.pl',
  '.R',
];

/** The program for a script, by the ending of its name; `undefined` when none is known. */
export function scriptInterpreter(file: string): Interpreter | undefined {
  switch (extname(file)) {
    case '.ts':
    case '.mts':
    case '.cts':
    case '.js':
    case '.mjs':
    case '.cjs':
      return {
        program: execPath,
        args: ['--import', pathToFileURL(entryFile('script-loader')).href],
        // The runner's Node may be an editor's runtime, which is a plain Node only when it is told to be.
        env: { ELECTRON_RUN_AS_NODE: '1' },
        name: 'node',
      };
    case '.py':
      // Without a buffer, so that its output is seen while it runs.
      return interpreter(platform === 'win32' ? 'python' : 'python3', ['-u']);
    case '.sh':
      return interpreter('bash');
    case '.rb':
      return interpreter('ruby');
    case '.pl':
      return interpreter('perl');
    case '.r':
    case '.R':
      return interpreter('Rscript');
    default:
      return undefined;
  }
}

function interpreter(program: string, args: readonly string[] = []): Interpreter {
  return { program, args, env: {}, name: program };
}
