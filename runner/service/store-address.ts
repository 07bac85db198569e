/** Which store a project has, as far as it may be asked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { CONFIG_FILE_NAMES, existingFile } from '../loader/project.ts';
import { errorCode } from '../store/errors.ts';
import type { ServiceOptions } from './protocol.ts';

const FILES = [CONFIG_FILE_NAMES, CONFIG_FILE_NAMES.map(name => name.replace('config', 'local'))];

export interface StoreAddress {
  readonly url: string;
  /** How the user can correct it. */
  readonly urlFrom: string;
}

/** The editor's setting, as messages name it. */
export const URL_SETTING = 'setting millrace.store.url';

/**
 * The URL of the project's store; `undefined`: the embedded server. The environment comes first, then the editor's
 * setting, then what the project says itself, which is asked only where it is trusted and has something to say.
 *
 * @param configured asks the project's configuration
 */
export async function storeAddress(
  { directory, trusted, storeUrl: setting }: ServiceOptions,
  configured: () => Promise<string | null>,
): Promise<StoreAddress | undefined> {
  const given = process.env['MILLRACE_STORE_URL'];
  if (given !== undefined && given !== '') return { url: given, urlFrom: 'MILLRACE_STORE_URL' };
  if (setting !== undefined) return { url: setting, urlFrom: `the ${URL_SETTING}` };
  if (!trusted) return undefined;
  const fromFile = dotEnv(directory)['MILLRACE_STORE_URL'];
  if (fromFile !== undefined && fromFile !== '')
    return { url: fromFile, urlFrom: 'MILLRACE_STORE_URL in the file .env' };
  if (FILES.every(names => existingFile(directory, names) === undefined)) return undefined;
  const url = await configured();
  return url === null ? undefined : { url, urlFrom: 'the setting "store" of the project' };
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
