/** Runs the real command line, with the state folder of this test process. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { resources, temporaryHome } from './store.ts';

export interface MillraceEnd {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MillraceOptions {
  /** The project, or a directory in it. */
  readonly cwd: string;
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
}

/** `millrace ARGS`, started from the sources. */
export async function runMillrace(args: readonly string[], options: MillraceOptions): Promise<MillraceEnd> {
  const { cwd, env = {}, input = '' } = options;
  const { promise, resolve, reject } = Promise.withResolvers<MillraceEnd>();
  const child = spawn(process.execPath, [join(resources, 'runner', 'cli', 'launch.ts'), ...args], {
    cwd,
    // The environment of whoever runs the tests must not lead them to a real store.
    env: {
      ...process.env,
      MILLRACE_HOME: await temporaryHome(),
      MILLRACE_STORE_URL: undefined,
      NO_COLOR: '1',
      ...env,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.on('error', reject);
  child.on('close', exitCode => {
    resolve({ exitCode, stdout, stderr });
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return await promise;
}
