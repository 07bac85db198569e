/** The commands that can travel to another process: those whose options are plain data. */
import type { CommandClass } from '../api/parallel-task.ts';
import { ExecuteSQL } from './execute-sql.ts';
import { ReadFile } from './read-file.ts';
import { RunBash } from './run-bash.ts';
import { RunProcess } from './run-process.ts';
import { RunScript } from './run-script.ts';

/** Classes by the `kind` of their specification, made again from its `options`. */
export const commandRegistry: Readonly<Record<string, CommandClass>> = {
  RunBash,
  RunProcess,
  RunScript,
  ExecuteSQL,
  ReadFile,
};
