/** Which store a project has, as far as it may be asked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { CONFIG_FILE_NAMES, existingFile } from '../loader/project.ts';
import { errorCode } from '../store/errors.ts';
import type { ServiceOptions } from './protocol.ts';

const FILES = [CONFIG_FILE_NAMES, CONFIG_FILE_NAMES.map(name => name.replace('config', 'local'))];

/**
 * The URL of the project's store; `undefined`: the embedded server. The environment comes first, then the editor's
 * setting, then what the project says itself, which is asked only where it is trusted and has something to say.
 *
 * @param configured asks the project's configuration
 */
export async function storeUrl(
  { directory, trusted, storeUrl: setting }: ServiceOptions,
  configured: () => Promise<string | null>,
): Promise<string | undefined> {
  const given = process.env['MILLRACE_STORE_URL'];
  if (given !== undefined && given !== '') return given;
  if (setting !== undefined) return setting;
  if (!trusted) return undefined;
  const fromFile = dotEnv(directory)['MILLRACE_STORE_URL'];
  if (fromFile !== undefined && fromFile !== '') return fromFile;
  const hasConfiguration = FILES.some(names => existingFile(directory, names) !== undefined);
  return hasConfiguration ? ((await configured()) ?? undefined) : undefined;
}

/** The environment that the editor's setting stands for, for processes that work for this project. */
export function settingEnvironment({ storeUrl: setting }: ServiceOptions): NodeJS.ProcessEnv {
  const given = process.env['MILLRACE_STORE_URL'];
  return setting === undefined || (given !== undefined && given !== '')
    ? {}
    : { MILLRACE_STORE_URL: setting };
}

/** What `.env` of the project says: text only, no code. */
function dotEnv(directory: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(join(directory, '.env'), 'utf8'));
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(errorCode(error) ?? '')) return {};
    throw error;
  }
}
