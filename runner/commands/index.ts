/** The commands that pipelines are made of, and the formats of files. */
export { ExecuteSQL, type ExecuteSQLOptions } from './execute-sql.ts';
export {
  csv,
  type CsvFormat,
  type CsvOptions,
  type FileFormat,
  jsonl,
  type JsonLinesFormat,
} from './formats.ts';
export { type Compression, ReadFile, type ReadFileOptions } from './read-file.ts';
export type { Replacement, Replacements } from './replace.ts';
export { RunBash, type RunBashOptions } from './run-bash.ts';
export { RunFunction, type RunFunctionOptions, type TaskFunction } from './run-function.ts';
export { RunProcess, type RunProcessOptions } from './run-process.ts';
export { RunScript, type RunScriptOptions } from './run-script.ts';
