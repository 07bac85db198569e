/** Commands that run only when files have changed that they depend on. */
import { createHash } from 'node:crypto';
import type { CommandContext, ProjectSettings } from '../api/context.ts';
import { describeValue, PipelineError } from '../api/errors.ts';
import { basePathOf, type FileBase, hashFile } from './files.ts';
import { ownParameters } from './parameter-context.ts';

/**
 * Runs `work`, unless the files are what they were when it last succeeded. Without files it always runs.
 *
 * The stored hash is deleted before and stored again after success: when a run fails and the file is then changed back,
 * it still runs again.
 *
 * @param type tells the dependencies of one node apart, for example `ExecuteSQL load.sql`
 */
export async function unlessUnchanged(
  context: CommandContext,
  type: string,
  files: readonly string[] | undefined,
  work: () => Promise<void | boolean>,
): Promise<void | boolean> {
  if (files === undefined || files.length === 0) return await work();
  const hash = await hashOf(context, files);
  if ((await context.state.fileDependency(type)) === hash) {
    context.log.info('no changes');
    context.unchanged('no changes');
    return undefined;
  }
  await context.state.deleteFileDependency(type);
  const result = await work();
  if (result !== false) await context.state.setFileDependency(type, hash);
  return result;
}

/** @throws PipelineError when the option is not a list of file names */
export function checkFileDependencies(what: string, files: unknown): void {
  if (files === undefined) return;
  if (Array.isArray(files) && files.every(file => typeof file === 'string' && file !== '')) return;
  throw new PipelineError(
    `${what}: fileDependencies must be an array of file names, not ${describeValue(files)}.`,
  );
}

function hashOf(
  { project, node, basePath, params }: CommandContext,
  files: readonly string[],
): Promise<string> {
  return dependencyHash(project, basePathOf(node, basePath), files, ownParameters(node, params));
}

/** Covers the window of dates and the parameters, because others make other results of the same files. */
export async function dependencyHash(
  { firstDate, lastDate }: Pick<ProjectSettings, 'firstDate' | 'lastDate'>,
  base: FileBase,
  files: readonly string[],
  parameters: readonly unknown[] = [],
): Promise<string> {
  const hash = createHash('sha256').update(`${firstDate}\n${lastDate}\n`);
  if (parameters.length > 0) hash.update(`${JSON.stringify(parameters)}\n`);
  for (const file of files) hash.update(`${await hashFile(base, file)}\n`);
  return hash.digest('hex');
}
