/** Commands that run only when files have changed that they depend on. */
import { createHash } from 'node:crypto';
import type { CommandContext, ProjectSettings } from '../api/context.ts';
import { describeValue, PipelineError } from '../api/errors.ts';
import type { ParameterValue } from '../model.ts';
import { basePathOf, type FileBase, hashFile } from './files.ts';

/**
 * Runs `work`, unless the files are what they were when it last succeeded, and so are the parameters that it read then:
 * others make other results of the same files. Without files it always runs.
 *
 * The stored hash is deleted before and stored again after success: when a run fails and the file is then changed back,
 * it still runs again.
 *
 * @param type tells the dependencies of one node apart, for example `ExecuteSQL load.sql`
 * @param work is given the context that it is to use
 */
export async function unlessUnchanged(
  context: CommandContext,
  type: string,
  files: readonly string[] | undefined,
  work: (context: CommandContext) => Promise<void | boolean>,
): Promise<void | boolean> {
  if (files === undefined || files.length === 0) return await work(context);
  const { project, node, basePath, params, state } = context;
  const hash = await dependencyHash(project, basePathOf(node, basePath), files);
  const stored = await state.fileDependency(type);
  if (stored !== null && stored === withParameters(hash, namesIn(stored), params)) {
    context.log.info('no changes');
    context.unchanged('no changes');
    return undefined;
  }
  await state.deleteFileDependency(type);
  const read = new Set<string>();
  const result = await work({ ...context, params: noticing(params, name => read.add(name)) });
  if (result !== false) await state.setFileDependency(type, withParameters(hash, [...read].sort(), params));
  return result;
}

/** The same values, each of which is told of when it is read. */
function noticing(
  params: CommandContext['params'],
  onRead: (name: string) => void,
): CommandContext['params'] {
  const noticed: Record<string, ParameterValue> = {};
  for (const [name, value] of Object.entries(params))
    Object.defineProperty(noticed, name, {
      enumerable: true,
      get: () => {
        onRead(name);
        return value;
      },
    });
  return noticed;
}

/** What is stored: the hash alone, or one that covers these parameters, and then their names. */
function withParameters(hash: string, names: readonly string[], params: CommandContext['params']): string {
  if (names.length === 0) return hash;
  const values = names.map(name => (Object.hasOwn(params, name) ? params[name] : null));
  const whole = createHash('sha256')
    .update(`${hash}\n${JSON.stringify(values)}\n`)
    .digest('hex');
  return [whole, ...names.map(encodeURIComponent)].join(' ');
}

function namesIn(stored: string): string[] {
  return stored.split(' ').slice(1).map(decodeURIComponent);
}

/** @throws PipelineError when the option is not a list of file names */
export function checkFileDependencies(what: string, files: unknown): void {
  if (files === undefined) return;
  if (Array.isArray(files) && files.every(file => typeof file === 'string' && file !== '')) return;
  throw new PipelineError(
    `${what}: fileDependencies must be an array of file names, not ${describeValue(files)}.`,
  );
}

/** Covers the window of dates, because another one makes other results of the same files. */
export async function dependencyHash(
  { firstDate, lastDate }: Pick<ProjectSettings, 'firstDate' | 'lastDate'>,
  base: FileBase,
  files: readonly string[],
): Promise<string> {
  const hash = createHash('sha256').update(`${firstDate}\n${lastDate}\n`);
  for (const file of files) hash.update(`${await hashFile(base, file)}\n`);
  return hash.digest('hex');
}
