/** Looks for programs as a shell does. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The first of the names that is a program on the `PATH`. */
export async function findProgram(
  names: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const directories = (environment['PATH'] ?? '').split(delimiter).filter(directory => directory !== '');
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  for (const name of names) {
    for (const directory of directories) {
      for (const ending of endings) if (await isProgram(join(directory, name + ending))) return name;
    }
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
