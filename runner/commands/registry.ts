/** The commands that can travel to another process: those whose options are plain data. */
import type { CommandClass } from '../api/parallel-task.ts';
import { ConsistencyCheck } from './consistency-check.ts';
import { Copy } from './copy.ts';
import { CopyIncrementally } from './copy-incrementally.ts';
import { CopyFile } from './copy-file.ts';
import { ExecuteSQL } from './execute-sql.ts';
import { HttpRequest } from './http-request.ts';
import { ReadFile } from './read-file.ts';
import { ReadScriptOutput } from './read-script-output.ts';
import { ReadSQLite } from './read-sqlite.ts';
import { RemoveFile } from './remove-file.ts';
import { RunBash } from './run-bash.ts';
import { RunProcess } from './run-process.ts';
import { RunScript } from './run-script.ts';
import { ReplaceSchema } from './sql-library/replace-schema.ts';
import { SchemaMisuseCheck } from './sql-library/schema-misuse-check.ts';
import { WriteFile } from './write-file.ts';

/** Classes by the `kind` of their specification, made again from its `options`. */
export const commandRegistry: Readonly<Record<string, CommandClass>> = {
  RunBash,
  RunProcess,
  RunScript,
  ExecuteSQL,
  ReadFile,
  ReadScriptOutput,
  WriteFile,
  HttpRequest,
  Copy,
  CopyIncrementally,
  ReadSQLite,
  CopyFile,
  RemoveFile,
  ConsistencyCheck,
  ReplaceSchema,
  SchemaMisuseCheck,
};
