/** What the commands that load records into a table have in common. */
import type { CommandContext } from '../api/context.ts';
import { describeValue, PipelineError } from '../api/errors.ts';
import { checkName } from './execute-sql.ts';
import type { LoadResult } from './load-records.ts';

interface LoadOptions {
  readonly table: string;
  readonly makeUnique?: boolean | undefined;
  readonly db?: string | undefined;
  readonly timezone?: string | undefined;
}

/**
 * Checks the options that say where the records go, and further ones that must be texts.
 *
 * @throws PipelineError when one of them is missing or not valid
 */
export function checkLoadOptions(what: string, options: LoadOptions, texts: readonly string[]): void {
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const option of [...texts, 'table']) {
    if (given[option] === undefined) throw new PipelineError(`${what}: ${option} is missing.`);
  }
  for (const option of [...texts, 'table', 'db', 'timezone']) checkName(what, option, given[option]);
  checkFlag(what, 'makeUnique', given['makeUnique']);
}

/** @throws PipelineError unless the value is `undefined` or a boolean */
export function checkFlag(what: string, option: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw new PipelineError(`${what}: ${option} must be true or false, not ${describeValue(value)}.`);
}

/** What the log says of a load. */
export function loadedText({ read, loaded }: LoadResult): string {
  return read === loaded
    ? `COPY ${String(read)}`
    : `COPY ${String(read)}\nINSERT 0 ${String(loaded)} (without duplicates)`;
}

/** Takes what a command line client says on standard error into the log. */
export function clientErrors({ log }: CommandContext): (text: string) => void {
  return text => {
    log.write(text, { format: 'verbatim', isError: true });
  };
}
